#include "admin/message.h"

#include "admin/json.h"

namespace sluice::admin {

std::string_view to_string(Method method) {
  switch (method) {
    case Method::get: return "GET";
    case Method::post: return "POST";
    case Method::put: return "PUT";
    case Method::patch: return "PATCH";
    case Method::remove: return "DELETE";
  }
  return "GET";
}

int status_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
    case Errc::malformed: return 400;
    case Errc::too_large: return 413;
    case Errc::unsupported: return 422;
    case Errc::unauthenticated: return 401;
    case Errc::forbidden: return 403;
    case Errc::not_found: return 404;
    case Errc::conflict: return 409;
    case Errc::unavailable: return 502;
    case Errc::timed_out: return 504;
    case Errc::cancelled:
    case Errc::storage_failed: return 503;
    case Errc::internal: return 500;
  }
  return 500;
}

std::string_view reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 431: return "Request Header Fields Too Large";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Internal Server Error";
  }
}

Response problem(const Error& error) {
  Response response;
  response.status = status_of(error.code);
  response.content_type = "application/problem+json";
  response.body = json::serialize(json::object{{"type", "about:blank"},
                                               {"title", reason_of(response.status)},
                                               {"status", response.status},
                                               {"detail", error.detail},
                                               {"code", to_string(error.code)}});
  if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"sluice\"");
  return response;
}

}  // namespace sluice::admin
