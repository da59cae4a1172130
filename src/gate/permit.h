// Permit: proof that one operation was decided, and that the record of its intent is durable.
//
// Only the gate makes one (gate/gate.cc), it cannot be copied, and everything that writes an operation
// towards an upstream takes one: "forwarded without a decision" does not compile. It owns the operation and
// its obligations, so it cannot be used for another.
//
// GatewayPermit is the second kind, for the gateway's own traffic (handshake, cancel, Sync, catalogue reads):
// constant text, no operation of a client. Only a class named as its friend can make one; there is one per
// protocol.
#pragma once

#include <memory>

#include "core/clock.h"
#include "model/decision.h"
#include "model/operation.h"

namespace sluice::proxy::pg {
class GatewayTraffic;
}

namespace sluice::gate {

class Permit {
 public:
  Permit(Permit&&) noexcept = default;
  Permit& operator=(Permit&&) noexcept = default;
  Permit(const Permit&) = delete;
  Permit& operator=(const Permit&) = delete;

  const Operation& operation() const { return *operation_; }
  const std::shared_ptr<const Operation>& shared_operation() const { return operation_; }
  OperationId id() const { return id_; }
  const Ruling& ruling() const { return *ruling_; }
  const std::shared_ptr<const Ruling>& shared_ruling() const { return ruling_; }
  const Obligations& obligations() const { return ruling_->obligations; }
  SteadyTime since() const { return since_; }

 private:
  friend class Gate;
  Permit(std::shared_ptr<const Operation> operation, OperationId id, std::shared_ptr<const Ruling> ruling,
         SteadyTime since)
      : operation_(std::move(operation)), id_(id), ruling_(std::move(ruling)), since_(since) {}

  std::shared_ptr<const Operation> operation_;
  OperationId id_;
  std::shared_ptr<const Ruling> ruling_;
  SteadyTime since_;
};

// Proof that an operation was decided, but not that it may run: lets a statement be prepared (parsed and
// planned by the server, described to the client) whose execution will be decided again.
class PreparePermit {
 public:
  PreparePermit(PreparePermit&&) noexcept = default;
  PreparePermit& operator=(PreparePermit&&) noexcept = default;
  PreparePermit(const PreparePermit&) = delete;
  PreparePermit& operator=(const PreparePermit&) = delete;

 private:
  friend class Gate;
  PreparePermit() = default;
};

class GatewayPermit {
 private:
  friend class sluice::proxy::pg::GatewayTraffic;
  GatewayPermit() = default;
};

}  // namespace sluice::gate
