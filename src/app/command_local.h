// Commands that need no running gateway: init, serve, config, openapi, context, doctor, version, policy check
// and test, record verify.
#pragma once

#include <string>
#include <vector>

#include "app/api_client.h"
#include "app/initialise.h"
#include "app/output.h"

namespace sluice::app::commands {

int init(const InitOptions& options, bool save_context, Output output);
int serve(const std::string& config);

int config_check(const std::string& file);
int config_print(const std::string& file, Output output);
int config_schema();
int config_docs();
int openapi();
int version(Output output);
int doctor(const std::string& config, const ContextFlags& flags);

int context_set(const ContextFlags& flags);
int context_show();

int policy_check(const std::string& folder, Output output);
int policy_test(const std::string& folder, const std::vector<std::string>& files, const std::string& format);
int policy_schema();

struct VerifyOptions {
  std::string folder;
  std::vector<std::string> keys;         // files that hold a verifier key, or the key itself
  std::vector<std::string> checkpoints;  // files with notes kept elsewhere
  std::string bundle;                    // an exported session, instead of a folder
  bool events = false;                   // of the bundle: print what is in it
};
int record_verify_offline(const VerifyOptions& options);
int record_verify_bundle(const VerifyOptions& options);

}  // namespace sluice::app::commands
