// For tests: a Catalogue from a short description, one relation a line:
//
//   auto catalogue = testing::catalogue(R"(
//     public.docs(id int4 pk, email text, embedding vector(4) null, tags text[], n varchar(20) not null)
//     index public.docs btree(email)
//     index public.docs hnsw(embedding)
//     index public.docs btree(tags())                                            an expression over tags
//     view public.docs_v(id int4, contact text) reads public.docs
//     lineage public.docs_v id=public.docs.id contact~public.docs.email rows public.docs.tenant
//     matview public.docs_mv(id int4, contact text) reads public.docs
//     child public.docs_2024 of public.docs
//     check public.docs a_check(id, email)
//     check public.docs b_check(email) changes      it looks at the clock
//     check public.docs c_check(email) calls public.f_email
//     key public.docs a_key(id, email)              a unique index on these
//     key public.docs a_part(id) where(email)       on a part of the rows
//     computed public.docs a_ratio(id, email)       an index on an expression over these
//     reference public.docs(id) public.other(id) cascade
//     trigger public.docs stamp insert,update calls public.stamp
//     trigger public.docs words insert calls pg_catalog.tsvector_update_trigger(words,simple,title,email)
//     function public.f_email
//     operator evil.<->
//     domain public.mail text check
//     enum public.mood sad
//   )");
//
// Without a `lineage` a view is not understood; `=` hands a column on, `~` computes from columns, and what
// follows `rows` the set of rows depends on, `always` what is computed for every row.
//
// Types are built-in ones, pgvector's (in schema public), and those that the description declares first. `pk`
// makes a column part of the primary key, `moves` gives it a default that does, `unique` a unique index on
// it. Oids are given out in order of appearance.
#pragma once

#include <memory>
#include <string_view>

#include "systems/postgres/catalogue/view.h"

namespace sluice::postgres::testing {

// Aborts the test program with a message when the description cannot be read.
std::shared_ptr<const Catalogue> catalogue(std::string_view description);

// pgbench's four tables, `public.docs` as in the attack corpus (id, tenant, title, email, ssn, salary, note,
// embedding vector(4)) with its view, materialised view and function, and an unmasked `public.sink`.
std::shared_ptr<const Catalogue> sample_catalogue();

}  // namespace sluice::postgres::testing
