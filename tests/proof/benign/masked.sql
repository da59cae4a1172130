-- Makes of a copy of the database one that truly holds the masked values (all but the vectors: vectors.sql), and masks
-- what is written into it as well. What masks make equal cannot be unique.
ALTER TABLE customers DROP CONSTRAINT customers_email_key;

CREATE FUNCTION masks_customers() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  NEW.email = '***'; NEW.phone = '***'; NEW.ssn = '***'; NEW.salary = 0; NEW.card = '0000 0000 0000 0000';
  RETURN NEW;
END $$;
CREATE FUNCTION masks_events() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  NEW.ip = '0.0.0.0'; NEW.payload = NEW.payload - 'email';
  RETURN NEW;
END $$;
CREATE FUNCTION masks_documents() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  NEW.metadata = NEW.metadata - 'author_email';
  RETURN NEW;
END $$;
CREATE FUNCTION masks_langchain() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  NEW.cmetadata = NEW.cmetadata - 'author_email';
  RETURN NEW;
END $$;
CREATE FUNCTION masks_llamaindex() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  NEW.metadata_ = NEW.metadata_ - 'author_email';
  RETURN NEW;
END $$;
CREATE TRIGGER masks BEFORE INSERT OR UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION masks_customers();
CREATE TRIGGER masks BEFORE INSERT OR UPDATE ON events FOR EACH ROW EXECUTE FUNCTION masks_events();
CREATE TRIGGER masks BEFORE INSERT OR UPDATE ON documents FOR EACH ROW EXECUTE FUNCTION masks_documents();
CREATE TRIGGER masks BEFORE INSERT OR UPDATE ON langchain_pg_embedding FOR EACH ROW EXECUTE FUNCTION masks_langchain();
CREATE TRIGGER masks BEFORE INSERT OR UPDATE ON data_handbook FOR EACH ROW EXECUTE FUNCTION masks_llamaindex();
UPDATE customers SET id = id;
UPDATE events SET id = id;
UPDATE documents SET title = title;
UPDATE langchain_pg_embedding SET id = id;
UPDATE data_handbook SET id = id;
ANALYZE;
