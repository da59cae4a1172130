// What the trigger functions do that PostgreSQL and its contrib modules bring along. A trigger sees the whole
// row, so one that is not known here may hand on masked values, or tell about them by an error.
//
//  * tsvector_update_trigger, tsvector_update_trigger_column: write the lexemes of some columns of the row
//    into another one, which thereby is made of them like a generated column (Column::computed_from).
//  * moddatetime, insert_username (modules of the same names): write the time of the transaction or the user
//    into a column, whatever the row holds. Errors of constraints over that column still tell.
//  * All others are `other`, and refused on masked relations: suppress_redundant_updates_trigger (the number
//    of updated rows tells which values were the same), autoinc (numbers tell in which order rows were come
//    upon), lo_manage (removes large objects by their number), tcn (notifies of keys), refint's and
//    PostgreSQL's own for foreign keys (errors tell), unique_key_recheck.
//
// Facts: PostgreSQL 13 to 18, "Text search", "Trigger functions", and the appendix on spi.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::postgres {

struct Relation;
struct Trigger;

enum class TriggerAction : std::uint8_t {
  other,
  makes_lexemes,  // arguments: the column that is made, a configuration or its column, columns of text
  stamps,         // arguments: the column that is written
};

// By the function's name, with the extension that it is of or none for built-in ones, and how many arguments
// the trigger has: with too few it does nothing but fail.
TriggerAction trigger_action(std::string_view extension, std::string_view function, std::size_t arguments);

// Enters into the relation's columns what a trigger that makes lexemes makes of what. Arguments are names,
// and columns may have others by now: what is not found stands for every column that it could be.
void note_made_columns(Relation& relation, const Trigger& trigger);

}  // namespace sluice::postgres
