-- The tables of the demo. Needs the extension vector.
CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE public.support_docs (
    id            bigint PRIMARY KEY,
    tenant        text NOT NULL,
    product       text NOT NULL,
    title         text NOT NULL,
    body          text NOT NULL,
    customer_name text NOT NULL,
    user_id       text NOT NULL,
    email         text NOT NULL,
    phone         text NOT NULL,
    ssn           text NOT NULL,
    account_value numeric(12, 2) NOT NULL,
    created_at    timestamptz NOT NULL,
    metadata      jsonb NOT NULL,
    embedding     vector(384) NOT NULL
);
CREATE INDEX support_docs_embedding ON public.support_docs USING hnsw (embedding vector_cosine_ops);
CREATE INDEX support_docs_tenant ON public.support_docs (tenant, created_at);
CREATE INDEX support_docs_metadata ON public.support_docs USING gin (metadata);

-- Nothing personal in here: the table that a policy has no reason to mask.
CREATE TABLE public.products (
    id            integer PRIMARY KEY,
    name          text NOT NULL UNIQUE,
    area          text NOT NULL,
    tagline       text NOT NULL,
    team          text NOT NULL,
    monthly_price numeric(8, 2) NOT NULL,
    launched      date NOT NULL
);
