#include "systems/postgres/rewrite/masks/mask_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_set>

#include "model/pattern.h"
#include "systems/postgres/rewrite/masks/hash_scope.h"
#include "systems/postgres/rewrite/masks/mask_json.h"
#include "systems/postgres/rewrite/masks/mask_partial.h"
#include "systems/postgres/rewrite/masks/mask_value.h"
#include "systems/postgres/rewrite/masks/maskable_cells.h"
#include "systems/postgres/rewrite/masks/view_masks.h"
#include "systems/postgres/rewrite/masks/wanted_mask.h"

namespace sluice::postgres::rewrite {

class PlanBuilder {
 public:
  PlanBuilder(const Catalogue& catalogue, const MaskSet& masks)
      : catalogue_(catalogue), masks_(masks), plan_(std::make_shared<MaskPlan>()) {}

  std::shared_ptr<const MaskPlan> build() {
    plan_->catalogue_version_ = catalogue_.version();
    plan_->mask_set_id_ = masks_.id;
    if (masks_.empty()) return plan_;
    for (const Relation& relation : catalogue_.contents().relations) {
      if (holds_rows(relation)) want(relation);
    }
    share_within_families();
    views_.spread();
    for (const auto& [oid, wanted] : wanted_) finish(*catalogue_.relation(oid), wanted);
    for (const auto& family : families_) share_order_leaks(family);
    for (Oid view : views_.reading_masked()) inherit_order_leaks(view);
    if (!plan_->relations_.empty()) {
      find_carriers();
      plan_->guards_ = write_guards(catalogue_, *plan_);
    }
    plan_->order_matters_ = std::ranges::any_of(plan_->relations_, [](const auto& each) {
      const RelationMask& mask = each.second;
      return mask.order_leaks || std::ranges::any_of(mask.columns, [](const ColumnMask& column) {
               return !column.json_keys.empty();
             });
    });
    collect_names();
    return plan_;
  }

 private:
  static bool holds_rows(const Relation& relation) {
    return !relation.system && relation.kind != RelationKind::sequence &&
           relation.kind != RelationKind::composite_type && relation.kind != RelationKind::toast;
  }

  // Under each of the names that the relation and its columns have, or have had: the masks of all hold.
  void want(const Relation& relation) {
    Wanted wanted;
    want_under(relation, relation.qualified_name(), wanted);
    for (const std::string& former : relation.former_names) want_under(relation, former, wanted);
    spread_to_generated(relation, wanted);
    if (!wanted.empty()) wanted_.emplace(relation.oid, std::move(wanted));
  }

  void want_under(const Relation& relation, const std::string& collection, Wanted& wanted) {
    if (!masks_.touches(collection)) return;
    auto vectors = masks_.vector_mask(collection);
    bool detects = !masks_.detect_masks(collection).empty();
    const bool renamed = collection != relation.qualified_name();
    for (const Column& column : relation.columns) {
      add(relation, column, want_column(collection, column, vectors, detects),
          renamed ? &collection : nullptr, wanted);
      Column before = column;
      for (const std::string& former : column.former_names) {
        before.name = former;
        add(relation, column, want_column(collection, before, vectors, detects), &former, wanted);
      }
    }
  }

  // `former`: the name that the mask holds by, where that is not what it is called now.
  void add(const Relation& relation, const Column& column, const std::optional<WantedMask>& found,
           const std::string* former, Wanted& wanted) {
    if (!found) return;
    const auto [at, added] = wanted.emplace(column.name, *found);
    at->second.writable |= column.default_moves;
    if (!added) {
      combine(at->second, *found);
    } else if (former != nullptr) {
      note_once(fmt::format("{}.{} is masked because it was called {} (rule {})", relation.qualified_name(),
                            column.name, *former, found->field.rule));
    }
  }

  std::optional<WantedMask> want_column(const std::string& collection, const Column& column,
                                        const std::optional<VectorMask>& vectors, bool detects) {
    std::optional<WantedMask> found;
    if (auto field = masks_.field_mask(collection, column.name)) {
      found = WantedMask{*field, {}, {}, {}};
      found->writable = field->write_allowed;
    }
    if (vectors && is_vector(catalogue_, column.type)) {
      if (!found) {
        found.emplace();
        found->field.rule = vectors->rule;
        found->field.write_allowed = vectors->write_allowed;
      }
      found->field.mask = Mask::remove;
      found->field.write_allowed = found->field.write_allowed && vectors->write_allowed;
      found->scores = vectors->scores;
    }
    if (found) return found;
    if (detects && is_text_like(catalogue_, column.type)) {
      const auto masks = masks_.detect_masks(collection);
      found.emplace();
      found->field.rule = masks.front()->rule;
      // It is what stands in a text that is hidden, not the text. Where hashes stand in its place, writing
      // guesses would tell which value they are of.
      found->writable =
          std::ranges::none_of(masks, [](const DetectMask* mask) { return mask->mask == Mask::hash; });
      found->field.write_allowed = found->writable;
      for (const DetectMask* mask : masks) {
        DetectorMask& made = found->detectors.emplace_back();
        made.mask = mask->mask;
        for (const std::string& name : mask->detectors) {
          if (auto detector = detector_from(name)) made.detectors.add(*detector);
        }
      }
      return found;
    }
    if (is_json(catalogue_, column.type)) return want_json(collection, column);
    if (const Type* type = catalogue_.base_type(column.type);
        type != nullptr && type->category == 'A' && is_json(catalogue_, type->element)) {
      // Keys are not removed from the elements of an array: the column is masked whole.
      found = want_json(collection, column);
      if (found) found->json_keys.clear();
      return found;
    }
    return want_composite(collection, column, vectors);
  }

  // Patterns that reach inside of a JSON column.
  std::optional<WantedMask> want_json(const std::string& collection, const Column& column) {
    std::optional<WantedMask> found;
    for (const FieldMask& mask : masks_.fields) {
      // Whether this very mask holds for the collection is asked with a set of its own.
      MaskSet single;
      single.fields.push_back(mask);
      if (!single.touches(collection)) continue;
      const auto dot = std::min(mask.field.find('.'), mask.field.size());
      const bool is_key = dot == mask.field.size();
      const bool here = glob_matches_folded(std::string_view(mask.field).substr(0, dot), column.name);
      const std::string inside = is_key ? mask.field : mask.field.substr(dot + 1);
      if (is_key || (here && can_remove_path(inside) && mask.field.find('*') > dot)) {
        if (!found) found = WantedMask{mask, {}, {}, {}};
        found->json_keys.push_back(inside);
        found->field.write_allowed = found->field.write_allowed && mask.write_allowed;
      } else if (here || mask.field.find('*') < dot) {
        WantedMask whole{mask, {}, {}, {}};
        whole.field.mask = Mask::redact;
        note_once(fmt::format("{}.{} is redacted whole for the path {} (rule {})", collection, column.name,
                              mask.field, mask.rule));
        return whole;
      }
    }
    return found;
  }

  std::optional<WantedMask> want_composite(const std::string& collection, const Column& column,
                                           const std::optional<VectorMask>& vectors) {
    const Type* type = catalogue_.base_type(column.type);
    while (type != nullptr && type->category == 'A' && type->element != 0)
      type = catalogue_.base_type(type->element);
    if (type == nullptr || type->kind != TypeKind::composite) return std::nullopt;
    if (vectors && holds_within(catalogue_, column.type,
                                [&](const Type& each) { return is_vector(catalogue_, each.oid); })) {
      WantedMask whole;
      whole.field.rule = vectors->rule;
      whole.field.mask = Mask::remove;
      return whole;
    }
    const Relation* row = catalogue_.relation(type->relation);
    // Attributes are looked at one step down; what has parts inside of a composite is taken as covered.
    if (row == nullptr) return std::nullopt;
    for (const Column& attribute : row->columns) {
      auto field = masks_.field_mask(collection, column.name + "." + attribute.name);
      for (std::size_t i = 0; !field && i < attribute.former_names.size(); ++i)
        field = masks_.field_mask(collection, column.name + "." + attribute.former_names[i]);
      const bool nested = holds_within(catalogue_, attribute.type, [&](const Type& each) {
        return each.kind == TypeKind::composite || is_json(catalogue_, each.oid);
      });
      if (!field && nested && !masks_.fields.empty()) field = masks_.fields.front();
      if (!field) continue;
      field->mask = Mask::remove;
      field->write_allowed = false;  // a value that is written has all attributes
      return WantedMask{*field, {}, {}, {}};
    }
    return std::nullopt;
  }

  // Also to what a trigger makes of masked columns, of which others may be generated in turn.
  static void spread_to_generated(const Relation& relation, Wanted& wanted) {
    while (spread_one_step(relation, wanted)) {
    }
  }

  // Whether there is something new.
  static bool spread_one_step(const Relation& relation, Wanted& wanted) {
    bool grown = false;
    for (const Column& column : relation.columns) {
      for (std::int16_t source : column.computed_from) {
        const Column* read = relation.column(source);
        auto masked = read == nullptr ? wanted.end() : wanted.find(read->name);
        if (auto own = wanted.find(column.name); own != wanted.end()) {
          const bool writable = masked == wanted.end() || masked->second.writable;
          grown |= writable && !own->second.writable;
          own->second.writable |= writable;
          continue;
        }
        if (masked == wanted.end()) continue;
        WantedMask copy = masked->second;
        copy.json_keys.clear();
        copy.detectors.clear();
        copy.field.filters = Filters::none;
        if (copy.field.mask != Mask::remove) copy.field.mask = Mask::redact;
        wanted.emplace(column.name, std::move(copy));
        grown = true;
        break;
      }
    }
    return grown;
  }

  // Parents, children and siblings show each other's rows: what one of them hides, all hide that have it.
  void share_within_families() {
    std::unordered_set<Oid> seen;
    for (const auto& [oid, wanted] : wanted_) {
      if (seen.contains(oid)) continue;
      auto family = catalogue_.family(oid);
      if (family.size() == 1) continue;
      seen.insert(family.begin(), family.end());
      families_.push_back(std::move(family));
    }
    for (const auto& family : families_) share_within(family);
  }

  void share_within(const std::vector<Oid>& family) {
    Wanted all;
    // A generated column that has to be hidden has relatives, which others are generated from: until nothing
    // is new.
    while (collect(family, all)) {
      for (Oid oid : family) {
        const Relation* each = catalogue_.relation(oid);
        if (each == nullptr) continue;
        Wanted theirs;
        for (const Column& column : each->columns) {
          auto found = all.find(column.name);
          if (found == all.end()) continue;
          theirs.insert(*found).first->second.writable |= column.default_moves;
        }
        spread_to_generated(*each, theirs);
        if (!theirs.empty()) wanted_.insert_or_assign(oid, std::move(theirs));
      }
    }
  }

  // Whether there is something new.
  bool collect(const std::vector<Oid>& family, Wanted& all) const {
    bool grown = false;
    for (Oid oid : family) {
      auto mine = wanted_.find(oid);
      if (mine == wanted_.end()) continue;
      for (const auto& [name, mask] : mine->second) {
        auto [at, added] = all.emplace(name, mask);
        const bool writable = at->second.writable;
        if (!added) combine(at->second, mask);
        grown |= added || at->second.writable != writable;
      }
    }
    return grown;
  }

  void finish(const Relation& relation, const Wanted& wanted) {
    RelationMask made;
    made.relation = relation.oid;
    made.view = relation.is_view();
    for (const Column& column : relation.columns) {
      auto found = wanted.find(column.name);
      if (found != wanted.end()) made.columns.push_back(express(relation, column, found->second));
    }
    find_order_leaks(relation, made);
    made.lone_indexes = lone_indexes(relation, made);
    made.order_key = made.view ? order_key_of_view(relation, made) : order_key(relation, made);
    plan_->relations_.emplace(relation.oid, std::move(made));
  }

  ColumnMask express(const Relation& relation, const Column& column, const WantedMask& wanted) {
    ColumnMask made;
    made.attnum = column.attnum;
    made.name = column.name;
    made.mask = wanted.field.mask;
    made.keep_order = wanted.field.keep_order;
    made.write_allowed = wanted.field.write_allowed;
    made.rule = wanted.field.rule;
    made.vector = is_vector(catalogue_, column.type) && catalogue_.base_type(column.type)->category != 'A';
    made.scores = wanted.scores.value_or(Scores::rank);
    made.answers_equality = wanted.field.filters == Filters::equality && wanted.json_keys.empty() &&
                            wanted.detectors.empty() && relation.kind != RelationKind::foreign_table &&
                            !relation.is_view() && compares_plainly(column);
    // A relative's column of the same name may be of another type: then it is masked whole.
    if (!wanted.json_keys.empty() && is_json(catalogue_, column.type)) {
      bool binary = catalogue_.base_type(column.type)->name == "jsonb";
      made.pieces = json_without_keys(wanted.json_keys, binary);
      made.json_keys = wanted.json_keys;
      return made;
    }
    std::string where = relation.qualified_name() + "." + column.name;
    switch (made.mask) {
      case Mask::remove: made.pieces = {removed_value(catalogue_, column)}; break;
      case Mask::constant: {
        auto value = constant_value(catalogue_, column, wanted.field.constant);
        if (value) {
          made.pieces = {*value};
          break;
        }
        note_once(fmt::format("{} is redacted: {} (rule {})", where, value.error().detail, made.rule));
        made.mask = Mask::redact;
        made.pieces = {redacted_value(catalogue_, column)};
        break;
      }
      case Mask::partial: {
        made.unread = redacted_value(catalogue_, column);
        made.pieces = partial_value(catalogue_, column);
        if (made.pieces.size() > 1) break;
        note_once(fmt::format("{} is redacted: a {} has no part to show (rule {})", where,
                              catalogue_.type_name(column.type), made.rule));
        made.mask = Mask::redact;
        break;
      }
      case Mask::hash: {
        made.pieces = {redacted_value(catalogue_, column)};
        auto hashed = hash_of_cell(catalogue_, column, wanted.writable);
        auto scope = scope_of_hashes(relation, column);
        if (hashed && scope) {
          hashed->mask.hash_scope = *std::move(scope);
          made.cell = with_rule(hashed->mask, made.rule);
          made.cell_null = hashed->null;
          break;
        }
        note_once(fmt::format("{} is redacted: {} (rule {})", where,
                              (hashed ? scope.error() : hashed.error()).detail, made.rule));
        made.mask = Mask::redact;
        break;
      }
      case Mask::redact: made.pieces = {redacted_value(catalogue_, column)}; break;
    }
    if (!wanted.detectors.empty()) detect_in(relation, column, wanted, made);
    return made;
  }

  // An error says why equal hashes there would tell of more than equal values of one column that its reader
  // cannot write.
  Result<std::string> scope_of_hashes(const Relation& relation, const Column& column) const {
    const auto stored = one_origin(catalogue_, {relation.oid, column.attnum});
    if (!stored) return fail(Errc::unsupported, "it does not come from one column alone");
    const auto masks = wanted_.find(stored->relation);
    const Column* named = catalogue_.relation(stored->relation)->column(stored->attnum);
    const bool hidden = masks != wanted_.end() && masks->second.contains(named->name);
    if (!hidden) return fail(Errc::unsupported, "it comes from a column that is not masked");
    return hash_scope(catalogue_, *stored);
  }

  bool compares_plainly(const Column& column) const {
    const Type* type = catalogue_.base_type(column.type);
    return type != nullptr && has_plain_equality(*type);
  }

  static std::shared_ptr<const CellMask> with_rule(CellMask mask, const std::string& rule) {
    mask.rule = rule;
    return std::make_shared<const CellMask>(std::move(mask));
  }

  void detect_in(const Relation& relation, const Column& column, const WantedMask& wanted, ColumnMask& made) {
    const std::string where = relation.qualified_name() + "." + column.name;
    auto cell = detectable_cell(catalogue_, column);
    if (!cell) {
      note_once(fmt::format("{} is redacted whole: detectors do not read a {} (rule {})", where,
                            catalogue_.type_name(column.type), made.rule));
      return;
    }
    cell->detectors = wanted.detectors;
    auto scope = scope_of_hashes(relation, column);
    if (scope) cell->hash_scope = *scope;
    for (DetectorMask& each : cell->detectors) {
      if (each.mask == Mask::hash && (wanted.writable || !scope)) each.mask = Mask::redact;
    }
    made.cell = with_rule(*std::move(cell), made.rule);
  }

  // Others are read as bitmaps, or by distance from what is asked for.
  static bool orders_rows(const Index& index) {
    constexpr std::string_view kNone[] = {"brin", "gin", "hnsw", "ivfflat"};
    return std::ranges::find(kNone, index.method) == std::end(kNone);
  }

  static std::vector<std::vector<std::int16_t>> lone_indexes(const Relation& relation,
                                                             const RelationMask& mask) {
    std::vector<std::vector<std::int16_t>> found;
    for (const Index& index : relation.indexes) {
      const auto hides = [&](std::int16_t attnum) {
        const ColumnMask* hidden = mask.column(attnum);
        return hidden != nullptr && !hidden->keep_order;
      };
      const bool shown = std::ranges::any_of(index.columns, [&](std::int16_t attnum) {
        const ColumnMask* hidden = mask.column(attnum);
        return hidden != nullptr && (hidden->reads_column() || hidden->cell != nullptr);
      });
      if (!std::ranges::any_of(index.key, hides)) continue;
      if (shown && orders_rows(index)) found.push_back(index.columns);
    }
    return found;
  }

  // An index scan is chosen for a condition on an open column, or because the index alone has all that is
  // read. It tells when the same index holds a masked column; an index on masked columns only is chosen where
  // nothing else is read (lone_indexes).
  static void find_order_leaks(const Relation& relation, RelationMask& mask) {
    for (const Index& index : relation.indexes) {
      if (!orders_rows(index)) continue;
      bool masked = false;
      bool open = false;
      for (std::int16_t attnum : index.columns) {
        const ColumnMask* hidden = mask.column(attnum);
        (hidden != nullptr && !hidden->keep_order ? masked : open) = true;
      }
      if (!masked || !open) continue;
      mask.order_leaks = true;
      for (std::int16_t attnum : index.columns) {
        if (const Column* column = relation.column(attnum)) mask.order_columns.push_back(column->name);
      }
    }
    keep_one_of_each(mask.order_columns);
    // Partitions are gone through one by one.
    mask.order_leaks |= has_masked_partition_key(relation, mask);
  }

  static void keep_one_of_each(std::vector<std::string>& names) {
    std::ranges::sort(names);
    const auto repeated = std::ranges::unique(names);
    names.erase(repeated.begin(), repeated.end());
  }

  // A scan of a parent goes over its children's indexes.
  void share_order_leaks(const std::vector<Oid>& family) {
    auto& made = plan_->relations_;
    std::vector<std::string> columns;
    bool lone = false;
    for (Oid oid : family) {
      const auto found = made.find(oid);
      if (found == made.end()) continue;
      lone = lone || (family.size() > 1 && !found->second.lone_indexes.empty());
      if (!found->second.order_leaks) continue;
      const auto& theirs = found->second.order_columns;
      columns.insert(columns.end(), theirs.begin(), theirs.end());
    }
    if (columns.empty() && !lone) return;
    keep_one_of_each(columns);
    for (Oid oid : family) {
      const auto found = made.find(oid);
      if (found == made.end()) continue;
      found->second.lone_below |= lone;
      if (columns.empty()) continue;
      found->second.order_leaks = true;
      found->second.order_columns = columns;
    }
  }

  // So does a scan of a view.
  void inherit_order_leaks(Oid view) {
    auto& made = plan_->relations_;
    auto mine = made.find(view);
    if (mine == made.end()) return;
    for (Oid oid : catalogue_.relation(view)->reads) {
      auto read = made.find(oid);
      if (read == made.end()) continue;
      mine->second.order_leaks |= read->second.order_leaks;
      mine->second.lone_below |= read->second.lone_below || !read->second.lone_indexes.empty();
    }
  }

  static std::vector<std::string> order_key(const Relation& relation, const RelationMask& mask) {
    std::vector<std::string> key;
    for (std::int16_t attnum : relation.primary_key) {
      const Column* column = relation.column(attnum);
      if (column == nullptr || !column->readable || mask.column(attnum) != nullptr) return {};
      key.push_back(column->name);
    }
    return key;
  }

  // That of the one table that the view reads, where it hands it on.
  std::vector<std::string> order_key_of_view(const Relation& view, const RelationMask& mask) const {
    const Relation* read = view.reads.size() == 1 ? catalogue_.relation(*view.reads.begin()) : nullptr;
    if (read == nullptr || read->is_view() || view.view.repeats) return {};
    std::vector<std::string> key;
    for (std::int16_t attnum : read->primary_key) {
      const auto column = std::ranges::find_if(view.columns, [&](const Column& each) {
        const auto at = static_cast<std::size_t>(each.attnum - 1);
        if (at >= view.view.columns.size() || !each.readable || mask.column(each.attnum) != nullptr)
          return false;
        const ViewColumn& from = view.view.columns[at];
        return from.bare && from.origins == std::vector{ColumnOrigin{read->oid, attnum}};
      });
      if (column == view.columns.end()) return {};
      key.push_back(column->name);
    }
    return key;
  }

  void find_carriers() {
    for (const Relation& relation : catalogue_.contents().relations) {
      if (!holds_rows(relation)) continue;
      if (auto tells = views_.why_refreshing_tells(relation))
        plan_->refreshes_.emplace(relation.oid, *std::move(tells));
      auto why = carries(relation);
      if (!why) continue;
      if (views_.reads_masked(relation.oid)) note_once(fmt::format("{}; it is refused", *why));
      plan_->carriers_.emplace(relation.oid, *std::move(why));
    }
  }

  // The relation above it that is partitioned by a masked column: then which rows a partition has tells.
  const Relation* partitioned_by_masked(const Relation& relation) const {
    const Relation* part = &relation;
    for (std::size_t steps = 0; steps < catalogue_.contents().relations.size(); ++steps) {
      const Relation* parent =
          part->parents.size() == 1 ? catalogue_.relation(part->parents.front()) : nullptr;
      if (parent == nullptr) return nullptr;
      if (const auto mask = plan_->relations_.find(parent->oid);
          mask != plan_->relations_.end() && has_masked_partition_key(*parent, mask->second))
        return parent;
      part = parent;
    }
    return nullptr;
  }

  static bool has_masked_partition_key(const Relation& relation, const RelationMask& mask) {
    return std::ranges::any_of(relation.constraints, [&](const Constraint& constraint) {
      return constraint.kind == ConstraintKind::partition &&
             std::ranges::any_of(constraint.columns, [&](std::int16_t attnum) {
               const ColumnMask* hidden = mask.column(attnum);
               return attnum == 0 || (hidden != nullptr && !hidden->keep_order);
             });
    });
  }

  std::optional<std::string> carries(const Relation& relation) const {
    std::string name = relation.qualified_name();
    if (const Relation* parent = partitioned_by_masked(relation)) {
      return fmt::format("which rows {} has tells about a masked column that {} is partitioned by; use that",
                         name, parent->qualified_name());
    }
    if (relation.kind == RelationKind::foreign_table) {
      if (plan_->relations_.contains(relation.oid)) return std::nullopt;
      return fmt::format("{} is a foreign table: its rows come from elsewhere, and may be masked ones", name);
    }
    if (!relation.is_view()) return std::nullopt;
    if (const std::string* why = views_.refusal(relation.oid)) return *why;
    for (Oid oid : catalogue_.lineage(relation.oid)) {
      const Relation* read = catalogue_.relation(oid);
      if (read == nullptr) return fmt::format("{} reads a relation that is not known", name);
      if (read->kind == RelationKind::foreign_table) {
        return fmt::format("{} is a view of {}, a foreign table", name, read->qualified_name());
      }
      if (dangerous_system_relation(read->schema, read->name)) {
        return fmt::format("{} is a view of {}, which shows values of rows", name, read->qualified_name());
      }
      if (read->system) continue;
      if (order_shows(*read)) {
        return fmt::format(
            "what {} yields depends on the order in which it comes upon rows, and an index makes "
            "that tell about a masked column",
            read->qualified_name());
      }
      for (Oid function : read->calls) {
        FunctionFacts facts = catalogue_.function_facts(function);
        if (facts.is_harmless()) continue;
        return fmt::format("{} calls a function that is not vouched for", name);
      }
      for (Oid oid_of_type : read->view.types) {
        const Type* type = catalogue_.type(oid_of_type);
        if (type != nullptr && type->vouched) continue;
        return fmt::format("{} converts to type {}, which is not vouched for", name,
                           catalogue_.type_name(oid_of_type));
      }
    }
    return std::nullopt;
  }

  // Whether a view hands on more of the order of rows than the order of its own, which can be sorted.
  bool order_shows(const Relation& view) const {
    if (!view.is_view()) return false;
    const auto mine = plan_->relations_.find(view.oid);
    if (mine == plan_->relations_.end() || !mine->second.order_leaks) return false;
    return view.view.picks || std::ranges::any_of(view.calls, [&](Oid function) {
             const auto& builtin = catalogue_.contents().builtin_routines;
             const auto name = builtin.find(function);
             if (name == builtin.end()) return catalogue_.is_volatile(function);
             if (tells_order_of_calls(name->second)) return true;
             return catalogue_.function_facts(function).cls == FunctionClass::value_aggregate &&
                    !is_same_in_any_order(name->second);
           });
  }

  // Of the aggregates that keep values.
  static bool is_same_in_any_order(std::string_view aggregate) {
    constexpr std::string_view kNames[] = {"bit_and",
                                           "bit_or",
                                           "bit_xor",
                                           "max",
                                           "min",
                                           "percentile_cont",
                                           "range_agg",
                                           "percentile_disc",
                                           "range_intersect_agg"};
    return std::ranges::find(kNames, aggregate) != std::end(kNames);
  }

  void collect_names() {
    auto add = [&](Oid oid) {
      const Relation* relation = catalogue_.relation(oid);
      plan_->names_.insert(relation->name);
      plan_->schemas_.insert(relation->schema);
    };
    for (const auto& [oid, mask] : plan_->relations_) add(oid);
    for (const auto& [oid, why] : plan_->carriers_) add(oid);
  }

  void note_once(std::string problem) {
    if (noted_.insert(problem).second) plan_->problems_.push_back(std::move(problem));
  }

  const Catalogue& catalogue_;
  const MaskSet& masks_;
  std::shared_ptr<MaskPlan> plan_;
  std::map<Oid, Wanted> wanted_;
  ViewMasks views_{catalogue_, wanted_};
  std::vector<std::vector<Oid>> families_;  // of several, with something masked in one of them
  std::unordered_set<std::string> noted_;
};

std::string ColumnMask::value(std::string_view column_reference) const {
  std::string all;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i > 0) all += column_reference;
    all += pieces[i];
  }
  return all;
}

const ColumnMask* RelationMask::column(std::int16_t attnum) const {
  auto at = std::ranges::find(columns, attnum, &ColumnMask::attnum);
  return at == columns.end() ? nullptr : &*at;
}

std::shared_ptr<const MaskPlan> MaskPlan::compile(const Catalogue& catalogue, const MaskSet& masks) {
  return PlanBuilder(catalogue, masks).build();
}

const RelationMask* MaskPlan::find(Oid relation) const {
  auto found = relations_.find(relation);
  return found == relations_.end() ? nullptr : &found->second;
}

const WriteGuards* MaskPlan::guards(Oid relation) const {
  auto found = guards_.find(relation);
  return found == guards_.end() ? nullptr : found->second.get();
}

const std::string* MaskPlan::refreshing_tells(Oid view) const {
  auto found = refreshes_.find(view);
  return found == refreshes_.end() ? nullptr : &found->second;
}

const std::string* MaskPlan::carries(Oid relation) const {
  auto found = carriers_.find(relation);
  return found == carriers_.end() ? nullptr : &found->second;
}

}  // namespace sluice::postgres::rewrite
