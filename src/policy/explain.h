// The answer to "why": a Ruling and its Trace in words, for the terminal and the UI. The text is for people
// and may change; programs read Ruling and Trace.
#pragma once

#include <string>

#include "model/decision.h"
#include "model/operation.h"
#include "model/session.h"
#include "policy/trace.h"

namespace sluice::policy {

// "deny: search on public.docs for ana over docs\n  by rule no-export: ..." then one line per rule. With
// `all` also the rules that have nothing to do with this session.
std::string explain(const Ruling& ruling, const Trace& trace, const Operation& operation,
                    const SessionFacts& facts, bool all = false);

// One line: "permit, at most 100 records (clamp, rule top-k)".
std::string summarise(const Ruling& ruling);

}  // namespace sluice::policy
