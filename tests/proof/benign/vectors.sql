-- And of that one in which there are no vectors either, and none can be written.
CREATE FUNCTION no_vector() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  NEW.embedding = NULL;
  RETURN NEW;
END $$;
CREATE TRIGGER no_vector BEFORE INSERT OR UPDATE ON documents FOR EACH ROW EXECUTE FUNCTION no_vector();
CREATE TRIGGER no_vector BEFORE INSERT OR UPDATE ON chunks FOR EACH ROW EXECUTE FUNCTION no_vector();
CREATE TRIGGER no_vector BEFORE INSERT OR UPDATE ON langchain_pg_embedding FOR EACH ROW EXECUTE FUNCTION no_vector();
CREATE TRIGGER no_vector BEFORE INSERT OR UPDATE ON data_handbook FOR EACH ROW EXECUTE FUNCTION no_vector();
UPDATE documents SET title = title;
UPDATE chunks SET tokens = tokens;
UPDATE langchain_pg_embedding SET id = id;
UPDATE data_handbook SET id = id;
ANALYZE;
