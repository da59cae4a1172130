// /api/v1/reviews: what waits for a second person. Everybody sees their own requests and those that they may
// decide; administrators and auditors see all. Who may decide is the rule's word, not a role of the API.
#include "admin/handlers.h"
#include "admin/page.h"

namespace sluice::admin::handlers {
namespace {

using review::Review;

json::object render(const Review& review, const Principal& viewer, const review::PrincipalLookup& people) {
  const auto& request = review.request;
  json::array votes;
  for (const auto& vote : review.votes) {
    votes.push_back(json::object{{"approver", vote.approver},
                                 {"approve", vote.approve},
                                 {"comment", vote.comment},
                                 {"at", format_time(vote.at)}});
  }
  const bool mine =
      review.state == review::ReviewState::pending && review::may_decide(review, viewer, people).has_value();
  return {{"id", review.id.value},
          {"state", to_string(review.state)},
          {"principal", request.principal},
          {"connection", request.connection},
          {"role", request.role},
          {"system", request.system},
          {"verb", to_string(request.verb)},
          {"statement", request.statement},
          {"collections", to_json(request.collections)},
          {"max_records", to_json(request.max_records)},
          {"estimated_records", to_json(request.estimated_records)},
          {"masks", to_json(request.masks)},
          {"client_address", request.client_address},
          {"session", request.session},
          {"operation", request.operation},
          {"rule", request.terms.rule},
          {"by", to_json(request.terms.by)},
          {"approvals", request.terms.approvals},
          {"uses", request.terms.uses},
          {"uses_left", review.uses_left},
          {"valid_for_seconds", request.terms.valid_for.count()},
          {"opened", format_time(review.opened)},
          {"expires", format_time(review.expires)},
          {"votes", std::move(votes)},
          {"you_may_decide", mine}};
}

review::PrincipalLookup people_of(Control& control) {
  return [directory = control.parts().directory.current()](std::string_view name) {
    return directory->find(name);
  };
}

bool may_see(const Review& review, const Principal& viewer) {
  return identity::has_role(viewer, identity::kRoleAdmin) ||
         identity::has_role(viewer, identity::kRoleAuditor) || review.request.principal == viewer.name ||
         review::matches_any(viewer, review.request.terms.by);
}

// What one may not see does not exist.
Result<Review> find(Control& control, const Call& call) {
  const auto& id = call.path.at("id");
  auto review = control.parts().reviews.show(ReviewId{id});
  if (!review && review.error().code != Errc::not_found) return std::unexpected(std::move(review).error());
  if (!review || !may_see(*review, call.actor()))
    return fail(Errc::not_found, "there is no review \"{}\"", id);
  return review;
}

Answer decide(Control& control, const Call& call, bool approve) {
  TRY(const auto body, parse_object(call.request.body));
  Fields fields{body};
  auto comment = fields.text("comment").value_or("");
  CHECK_OK(fields.finish());
  TRY(const auto before, find(control, call));
  // Cast on a copy: a vote that cannot count is refused before it is reported, and the report says what it
  // decides.
  auto foreseen = before;
  CHECK_OK(review::cast_vote(foreseen, call.actor(), approve, comment, control.now(), people_of(control)));
  CHECK_OK(control.report(
      call, approve ? "review.approve" : "review.reject", "review:" + before.id.value,
      json::serialize(json::object{{"state", to_string(before.state)}, {"votes", before.votes.size()}}),
      json::serialize(json::object{{"approve", approve}, {"comment", comment}}),
      VoteFacts{.review = before.id.value,
                .approve = approve,
                .final = foreseen.state != review::ReviewState::pending,
                .comment = comment}));
  TRY(const auto after, control.parts().reviews.decide(before.id, call.actor(), approve, std::move(comment)));
  return json_response(render(after, call.actor(), people_of(control)));
}

}  // namespace

Answer list_reviews(Control& control, const Call& call) {
  TRY(const auto page, page_query(call.request));
  review::ReviewRepository::Filter filter;
  if (const auto state = query_value(call.request, "state"); !state.empty()) {
    filter.state = review::review_state_from(state);
    if (!filter.state) {
      return fail(Errc::invalid_argument, "state: must be pending, approved, rejected, expired or used");
    }
  }
  filter.principal = query_value(call.request, "principal");
  filter.connection = query_value(call.request, "connection");
  filter.after = page.after;
  filter.limit = page.limit + 1;  // one more tells whether there are more
  json::array items;
  std::string last;
  bool more = false;
  // What the viewer may not see leaves gaps; pages are filled up from what follows.
  while (true) {
    TRY(const auto batch, control.parts().review_repository.reviews(filter));
    for (const auto& review : batch) {
      if (!may_see(review, call.actor())) continue;
      if (items.size() == page.limit) {
        more = true;
        break;
      }
      items.push_back(render(review, call.actor(), people_of(control)));
      last = review.id.value;
    }
    if (more || batch.size() < filter.limit) break;
    filter.after = batch.back().id.value;
  }
  return page_response(std::move(items), last, more);
}

Answer show_review(Control& control, const Call& call) {
  TRY(const auto review, find(control, call));
  return json_response(render(review, call.actor(), people_of(control)));
}

Answer approve_review(Control& control, const Call& call) {
  return decide(control, call, true);
}
Answer reject_review(Control& control, const Call& call) {
  return decide(control, call, false);
}

}  // namespace sluice::admin::handlers
