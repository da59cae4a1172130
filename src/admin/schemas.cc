#include "admin/openapi.h"

namespace sluice::admin {

// Answers are closed objects too, so that the contract test notices a key that nobody described.
std::string_view schemas() {
  return R"json({
"Problem": {"type": "object", "description": "RFC 9457. `code` is stable.", "additionalProperties": false,
  "required": ["type", "title", "status", "detail", "code"],
  "properties": {"type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
    "detail": {"type": "string"}, "code": {"type": "string"}}},
"Time": {"type": "string", "format": "date-time"},
"OptionalTime": {"type": ["string", "null"], "format": "date-time"},
"Texts": {"type": "array", "items": {"type": "string"}},
"Health": {"type": "object", "additionalProperties": false, "properties": {"status": {"type": "string"}}},
"Readiness": {"type": "object", "additionalProperties": false,
  "properties": {"ready": {"type": "boolean"}, "problems": {"$ref": "#/components/schemas/Texts"}}},
"Status": {"type": "object", "additionalProperties": false, "properties": {
  "version": {"type": "string"}, "started": {"$ref": "#/components/schemas/Time"},
  "now": {"$ref": "#/components/schemas/Time"}, "ready": {"type": "boolean"},
  "problems": {"$ref": "#/components/schemas/Texts"}, "sessions": {"type": "integer"},
  "pending_reviews": {"type": "integer"}, "connections": {"type": "integer"},
  "policy": {"type": "object", "additionalProperties": false, "properties": {"version": {"type": "integer"},
    "digest": {"type": "string"}, "rules": {"type": "integer"}, "problems": {"type": "integer"}}},
  "record": {"type": "object", "additionalProperties": false, "properties": {"writable": {"type": "boolean"},
    "problem": {"type": "string"}, "entries": {"type": "integer"}}}}},
"Me": {"type": "object", "additionalProperties": false, "properties": {
  "name": {"type": "string"}, "kind": {"enum": ["human", "machine"]},
  "groups": {"$ref": "#/components/schemas/Texts"}, "roles": {"$ref": "#/components/schemas/Texts"},
  "token": {"type": "string"}, "token_expires": {"$ref": "#/components/schemas/OptionalTime"},
  "connections": {"type": "array", "items": {"type": "object", "additionalProperties": false, "properties": {
    "name": {"type": "string"}, "system": {"type": "string"}, "roles": {"$ref": "#/components/schemas/Texts"}}}}}},

"NewPrincipal": {"type": "object", "additionalProperties": false, "required": ["name"], "properties": {
  "name": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._@+-]{0,62}$"},
  "kind": {"enum": ["human", "machine"], "default": "human"},
  "groups": {"$ref": "#/components/schemas/Texts"},
  "roles": {"type": "array", "items": {"enum": ["admin", "auditor", "approver", "member"]}},
  "claims": {"type": "object", "additionalProperties": {"type": "string"}},
  "owner": {"type": "string", "description": "Who answers for a machine; without it: who created it."}}},
"PrincipalChange": {"type": "object", "additionalProperties": false, "properties": {
  "kind": {"enum": ["human", "machine"]}, "groups": {"$ref": "#/components/schemas/Texts"},
  "roles": {"type": "array", "items": {"enum": ["admin", "auditor", "approver", "member"]}},
  "claims": {"type": "object", "additionalProperties": {"type": "string"}}, "owner": {"type": "string"}}},
"Principal": {"type": "object", "additionalProperties": false,
  "required": ["name", "kind", "groups", "roles", "claims", "owner", "disabled", "epoch"], "properties": {
  "name": {"type": "string"}, "kind": {"enum": ["human", "machine"]},
  "groups": {"$ref": "#/components/schemas/Texts"}, "roles": {"$ref": "#/components/schemas/Texts"},
  "claims": {"type": "object", "additionalProperties": {"type": "string"}}, "owner": {"type": "string"},
  "disabled": {"type": "boolean"}, "epoch": {"type": "integer", "description": "Rises with each change."}}},
"PrincipalPage": {"type": "object", "additionalProperties": false, "properties": {
  "items": {"type": "array", "items": {"$ref": "#/components/schemas/Principal"}}, "next_cursor": {"type": "string"}}},

"NewToken": {"type": "object", "additionalProperties": false, "required": ["principal"], "properties": {
  "principal": {"type": "string"}, "label": {"type": "string", "maxLength": 200},
  "ttl_seconds": {"type": ["integer", "null"], "minimum": 1, "default": 2592000,
    "description": "null: until revoked."}}},
"Token": {"type": "object", "additionalProperties": false,
  "required": ["id", "principal", "label", "created", "created_by", "expires", "revoked", "state"], "properties": {
  "id": {"type": "string"}, "principal": {"type": "string"}, "label": {"type": "string"},
  "created": {"$ref": "#/components/schemas/Time"}, "created_by": {"type": "string"},
  "expires": {"$ref": "#/components/schemas/OptionalTime"}, "revoked": {"$ref": "#/components/schemas/OptionalTime"},
  "state": {"enum": ["active", "expired", "revoked"]}}},
"IssuedToken": {"type": "object", "additionalProperties": false, "required": ["id", "token"], "properties": {
  "token": {"type": "string", "description": "The token itself; never shown again."},
  "id": {"type": "string"}, "principal": {"type": "string"}, "label": {"type": "string"},
  "created": {"$ref": "#/components/schemas/Time"}, "created_by": {"type": "string"},
  "expires": {"$ref": "#/components/schemas/OptionalTime"}, "revoked": {"$ref": "#/components/schemas/OptionalTime"},
  "state": {"enum": ["active", "expired", "revoked"]}}},
"TokenPage": {"type": "object", "additionalProperties": false, "properties": {
  "items": {"type": "array", "items": {"$ref": "#/components/schemas/Token"}}, "next_cursor": {"type": "string"}}},

"Credential": {"type": "object", "additionalProperties": false, "required": ["kind"], "properties": {
  "kind": {"enum": ["none", "file", "environment", "command"]},
  "reference": {"type": "string", "maxLength": 1024,
    "description": "A path, a variable's name, or a command line that is split at blanks and runs without a shell."}}},
"ConnectionRole": {"type": "object", "additionalProperties": false, "required": ["alias", "upstream_user"],
  "properties": {"alias": {"type": "string", "description": "The `user` that a client asks for."},
    "groups": {"$ref": "#/components/schemas/Texts", "description": "Who may ask for it; empty: nobody."},
    "upstream_user": {"type": "string"}, "credential": {"$ref": "#/components/schemas/Credential"}}},
"NewConnection": {"type": "object", "additionalProperties": false,
  "required": ["name", "host", "database", "roles"], "properties": {
  "name": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._@+-]{0,62}$"},
  "system": {"type": "string", "default": "postgres"}, "host": {"type": "string"},
  "port": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 5432}, "database": {"type": "string"},
  "tls": {"enum": ["disable", "require", "verify_ca", "verify_full"], "default": "verify_full"},
  "tls_ca_file": {"type": "string"},
  "roles": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/ConnectionRole"}}}},
"ConnectionChange": {"type": "object", "additionalProperties": false, "properties": {
  "system": {"type": "string"}, "host": {"type": "string"},
  "port": {"type": "integer", "minimum": 1, "maximum": 65535}, "database": {"type": "string"},
  "tls": {"enum": ["disable", "require", "verify_ca", "verify_full"]}, "tls_ca_file": {"type": "string"},
  "roles": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/ConnectionRole"}}}},
"Connection": {"type": "object", "additionalProperties": false,
  "required": ["name", "system", "host", "port", "database", "tls", "tls_ca_file", "roles", "disabled", "version"],
  "properties": {"name": {"type": "string"}, "system": {"type": "string"}, "host": {"type": "string"},
  "port": {"type": "integer"}, "database": {"type": "string"},
  "tls": {"enum": ["disable", "require", "verify_ca", "verify_full"]}, "tls_ca_file": {"type": "string"},
  "roles": {"type": "array", "items": {"$ref": "#/components/schemas/ConnectionRole"}},
  "disabled": {"type": "boolean"}, "version": {"type": "integer", "description": "Rises with each change; the ETag."}}},
"ConnectionPage": {"type": "object", "additionalProperties": false, "properties": {
  "items": {"type": "array", "items": {"$ref": "#/components/schemas/Connection"}}, "next_cursor": {"type": "string"}}},
"Rotation": {"type": "object", "additionalProperties": false, "required": ["role"], "properties": {
  "role": {"type": "string"}, "credential": {"$ref": "#/components/schemas/Credential"},
  "end_sessions": {"type": "boolean", "default": false}}},
"FunctionPage": {"type": "object", "additionalProperties": false, "properties": {
  "items": {"type": "array", "items": {"type": "object", "additionalProperties": false, "properties": {
    "function": {"type": "string"}, "sha256": {"type": "string"}, "language": {"type": "string"},
    "volatile": {"type": "boolean"}, "extension": {"type": "string"},
    "state": {"type": "string", "enum": ["known", "vouched", "not vouched", "changed", "missing"]}}}},
  "next_cursor": {"type": "string"}}},

"FormerNamePage": {"type": "object", "additionalProperties": false, "properties": {
  "items": {"type": "array", "items": {"type": "object", "additionalProperties": false, "properties": {
    "name": {"type": "string"}, "former": {"type": "string"}, "database": {"type": "string"}}}},
  "next_cursor": {"type": "string"}}},
"NameForgotten": {"type": "object", "additionalProperties": false, "required": ["name"], "properties": {
  "name": {"type": "string", "description": "what it is called now: public.docs, public.docs.contact"}}},

"RoleAdvice": {"type": "object", "additionalProperties": false, "properties": {
  "roles": {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": false, "properties": {
    "user": {"type": "string"}, "problem": {"type": "string"},
    "statements": {"type": "array", "items": {"type": "object", "additionalProperties": false, "properties": {
      "statement": {"type": "string"}, "reason": {"type": "string"}}}}}}}}},
"ConnectionTest": {"type": "object", "additionalProperties": false, "properties": {"ok": {"type": "boolean"},
  "roles": {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": false, "properties": {
    "ok": {"type": "boolean"}, "server_version": {"type": "string"}, "problem": {"type": "string"},
    "took_ms": {"type": "integer"}}}}}},

"PolicyProblem": {"type": "object", "additionalProperties": false, "properties": {
  "file": {"type": "string"}, "line": {"type": "integer"}, "column": {"type": "integer"},
  "severity": {"enum": ["error", "warning"]}, "message": {"type": "string"}, "hint": {"type": "string"}}},
"Policy": {"type": "object", "additionalProperties": false, "properties": {
  "version": {"type": "integer"}, "digest": {"type": "string"}, "loaded": {"$ref": "#/components/schemas/Time"},
  "files": {"$ref": "#/components/schemas/Texts"},
  "rules": {"type": "array", "items": {"type": "object", "additionalProperties": false, "properties": {
    "name": {"type": "string"}, "file": {"type": "string"}, "line": {"type": "integer"}, "effect": {"type": "string"},
    "shadow": {"type": "boolean"},
    "hits": {"type": "integer", "description": "Decisions that it took part in since the policy was loaded."}}}},
  "problems": {"type": "array", "items": {"$ref": "#/components/schemas/PolicyProblem"}}}},
"PolicyText": {"type": "object", "additionalProperties": false, "required": ["text"],
  "properties": {"text": {"type": "string"}}},
"PolicyValidation": {"type": "object", "additionalProperties": false, "properties": {"valid": {"type": "boolean"},
  "problems": {"type": "array", "items": {"$ref": "#/components/schemas/PolicyProblem"}}}},
"ExplainRequest": {"type": "object", "additionalProperties": false,
  "required": ["principal", "connection", "statement"], "properties": {
  "principal": {"type": "string"}, "connection": {"type": "string"}, "role": {"type": "string"},
  "client_address": {"type": "string"}, "statement": {"type": "string"}}},
"Explanation": {"type": "object", "additionalProperties": false, "properties": {
  "effect": {"enum": ["permit", "deny", "review"]}, "rule": {"type": "string"}, "message": {"type": "string"},
  "obligations": {"$ref": "#/components/schemas/Texts"}, "policy_version": {"type": "integer"},
  "steps": {"type": "array", "items": {"type": "object", "additionalProperties": false, "properties": {
    "rule": {"type": "string"}, "matched": {"type": "boolean"}, "reason": {"type": "string"}}}}}},

"Decision": {"type": "object", "additionalProperties": false,
  "properties": {"comment": {"type": "string", "maxLength": 2000}}},
"Review": {"type": "object", "additionalProperties": false, "properties": {
  "id": {"type": "string"}, "state": {"enum": ["pending", "approved", "rejected", "expired", "used"]},
  "principal": {"type": "string"}, "connection": {"type": "string"}, "role": {"type": "string"},
  "system": {"type": "string"}, "verb": {"type": "string"}, "statement": {"type": "string"},
  "collections": {"$ref": "#/components/schemas/Texts"}, "max_records": {"type": ["integer", "null"]},
  "estimated_records": {"type": ["integer", "null"],
    "description": "max_records; without one, what the database's statistics say of the collections that it reads"},
  "masks": {"$ref": "#/components/schemas/Texts"},
  "client_address": {"type": "string"}, "session": {"type": "string"}, "operation": {"type": "string"},
  "rule": {"type": "string"}, "by": {"$ref": "#/components/schemas/Texts"}, "approvals": {"type": "integer"},
  "uses": {"type": "integer"}, "uses_left": {"type": "integer"}, "valid_for_seconds": {"type": "integer"},
  "opened": {"$ref": "#/components/schemas/Time"}, "expires": {"$ref": "#/components/schemas/Time"},
  "votes": {"type": "array", "items": {"type": "object", "additionalProperties": false, "properties": {
    "approver": {"type": "string"}, "approve": {"type": "boolean"}, "comment": {"type": "string"},
    "at": {"$ref": "#/components/schemas/Time"}}}},
  "you_may_decide": {"type": "boolean"}}},
"ReviewPage": {"type": "object", "additionalProperties": false, "properties": {
  "items": {"type": "array", "items": {"$ref": "#/components/schemas/Review"}}, "next_cursor": {"type": "string"}}},

"LiveSession": {"type": "object", "additionalProperties": false, "properties": {
  "id": {"type": "string"}, "principal": {"type": "string"}, "connection": {"type": "string"},
  "system": {"type": "string"}, "role": {"type": "string"}, "upstream_user": {"type": "string"},
  "client_address": {"type": "string"}, "client_name": {"type": "string"}, "token": {"type": "string"},
  "tls": {"type": "boolean"}, "started": {"$ref": "#/components/schemas/Time"}, "operations": {"type": "integer"},
  "records": {"type": "integer"}, "state": {"type": "string"}, "review": {"type": "string"}}},
"LiveSessionPage": {"type": "object", "additionalProperties": false, "properties": {
  "items": {"type": "array", "items": {"$ref": "#/components/schemas/LiveSession"}},
  "next_cursor": {"type": "string"}}},
"Kill": {"type": "object", "additionalProperties": false, "properties": {"reason": {"type": "string"}}},
"RecordItem": {"type": "object", "description": "As the record holds it; its form is described in docs/record.md."},
"RecordPage": {"type": "object", "additionalProperties": false, "properties": {
  "items": {"type": "array", "items": {"$ref": "#/components/schemas/RecordItem"}}, "next_cursor": {"type": "string"}}},
"RecordStatus": {"type": "object", "additionalProperties": false, "properties": {
  "writable": {"type": "boolean"}, "problem": {"type": "string"}, "dir": {"type": "string"},
  "durability": {"type": "string"}, "segments": {"type": "integer"}, "entries": {"type": "integer"},
  "bytes": {"type": "integer"}, "public_key": {"type": "string", "description": "Verifier key of the checkpoints."},
  "shards": {"type": "array", "items": {"type": "object", "additionalProperties": false, "properties": {
    "shard": {"type": "integer", "description": "0 is the control plane's, the others one worker's each."},
    "log_id": {"type": "string"}, "segments": {"type": "integer"}, "entries": {"type": "integer"},
    "signed_entries": {"type": "integer", "description": "Of these, under the last signed checkpoint."},
    "signed_root": {"type": "string", "description": "Merkle root of the signed entries, base64."}}}}}},
"VerifyReport": {"type": "object", "additionalProperties": false, "properties": {
  "intact": {"type": "boolean"}, "segments": {"type": "integer"}, "entries": {"type": "integer"},
  "unfinished": {"type": "integer"}, "problems": {"$ref": "#/components/schemas/Texts"}}}
})json";
}

}  // namespace sluice::admin
