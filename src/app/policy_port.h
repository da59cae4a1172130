// The policy, as the admin API asks for it: what is in force, what is wrong with a text, why something was
// decided.
#pragma once

#include "admin/ports.h"
#include "app/policy_watch.h"
#include "identity/directory.h"
#include "model/connection_table.h"
#include "proxy/pg/catalogue/catalogue_store.h"

namespace sluice::app {

class PolicyPort final : public admin::PolicyControl {
 public:
  PolicyPort(PolicyWatch& watch, const identity::Directory& directory,
             const Published<ConnectionTable>& connections, proxy::pg::CatalogueStores& catalogues,
             const Clock& clock)
      : watch_(watch),
        directory_(directory),
        connections_(connections),
        catalogues_(catalogues),
        clock_(clock) {}

  admin::PolicyState current() override;
  Result<admin::PolicyState> reload() override;
  std::vector<admin::PolicyProblem> validate(const std::string& text) override;
  Result<admin::Explanation> explain(const admin::ExplainRequest& request) override;
  Result<std::vector<admin::ListedFunction>> functions(const Connection& connection) override;
  std::vector<admin::FormerName> former_names(const Connection& connection) override;
  Result<void> forget_names(const Connection& connection, std::string_view now) override;
  std::string schema() override;

 private:
  // The operations of an SQL text, mapped with the catalogue that sessions of this connection and role use.
  Result<Operation> map_statement(const admin::ExplainRequest& request, const SessionFacts& facts,
                                  const std::shared_ptr<const MaskSet>& masks,
                                  const std::vector<std::string>& vouched, std::uint64_t connection_version);
  void add_vouch_problems(const Connection& connection, std::vector<admin::PolicyProblem>& problems);
  // As any role of the connection sees it; null: nobody has used it yet.
  std::shared_ptr<const postgres::Catalogue> known_catalogue(const Connection& connection);

  PolicyWatch& watch_;
  const identity::Directory& directory_;
  const Published<ConnectionTable>& connections_;
  proxy::pg::CatalogueStores& catalogues_;
  const Clock& clock_;
};

}  // namespace sluice::app
