// Receipts and keys as rows: the columns that SQLite and PostgreSQL have alike, in the order in
// which both are asked for them.
//
// A Row has integer, flag, real, maybe_real, maybe_integer and text, each by a column's number.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/key.h"
#include "ledger/ledger.h"
#include "lichen/receipt.h"

namespace lichen::ledger {

inline std::int64_t to_ns(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

inline std::chrono::system_clock::time_point from_ns(std::int64_t ns) {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::nanoseconds(ns)));
}

inline std::optional<std::int64_t> maybe_ns(
    const std::optional<std::chrono::system_clock::time_point>& time) {
  if (!time) return std::nullopt;
  return to_ns(*time);
}

inline std::optional<std::chrono::system_clock::time_point> maybe_time(
    const std::optional<std::int64_t>& ns) {
  if (!ns) return std::nullopt;
  return from_ns(*ns);
}

/// In the database "none" is null, in a receipt it is empty.
inline std::optional<std::string_view> null_if_empty(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

inline std::string names_to_json(const std::vector<std::string>& names) {
  return boost::json::serialize(boost::json::array(names.begin(), names.end()));
}

inline std::vector<std::string> names_from_json(const std::string& text) {
  boost::system::error_code error;
  const boost::json::value names = boost::json::parse(text, error);
  std::vector<std::string> list;
  if (!names.is_array()) return list;
  for (const auto& name : names.get_array()) {
    if (name.is_string()) list.emplace_back(name.get_string());
  }
  return list;
}

/// The first column is `seq`.
template <class Row>
Receipt receipt_of(const Row& row) {
  Receipt receipt;
  receipt.id = row.text(1);
  receipt.plan = row.text(2);
  receipt.started = from_ns(row.integer(3));
  receipt.first_token_ms = row.maybe_real(4);
  receipt.total_ms = row.real(5);
  receipt.finish = row.text(6);
  receipt.error = row.text(7);
  if (const std::optional<double> score = row.maybe_real(8)) {
    receipt.feedback = Feedback{.score = *score, .comment = row.text(9)};
  }
  receipt.key = row.text(10);
  return receipt;
}

template <class Row>
Step step_of(const Row& row) {
  return {.model = row.text(0),
          .role = row.text(1),
          .tokens_in = row.integer(2),
          .tokens_out = row.integer(3),
          .tokens_cached = row.integer(4),
          .estimated = row.flag(5),
          .remote = row.flag(6),
          .upstream = row.text(13),
          .bytes_sent = row.integer(7),
          .queued_ms = row.real(8),
          .prefill_ms = row.real(9),
          .decode_ms = row.real(10),
          .usd = row.maybe_real(11),
          .joules = row.maybe_real(12)};
}

template <class Row>
Decision decision_of(const Row& row) {
  return {.mechanism = row.text(0),
          .choice = row.text(1),
          .reason = row.text(2),
          .score = row.maybe_real(3),
          .threshold = row.maybe_real(4)};
}

template <class Row>
Stretch author_of(const Row& row) {
  return {.model = row.text(0), .tokens = row.integer(1), .bytes = row.integer(2)};
}

template <class Row>
DraftCount draft_of(const Row& row) {
  return {.author = row.text(0), .drafted = row.integer(1), .accepted = row.integer(2)};
}

template <class Row>
Key key_of(const Row& row) {
  return {.id = row.text(0),
          .name = row.text(1),
          .hash = row.text(2),
          .created = from_ns(row.integer(3)),
          .expires = maybe_time(row.maybe_integer(4)),
          .revoked = maybe_time(row.maybe_integer(5)),
          .limits = {.plans = names_from_json(row.text(6)),
                     .requests_per_minute = row.maybe_integer(7),
                     .tokens_per_minute = row.maybe_integer(8),
                     .requests_at_once = row.maybe_integer(9),
                     .budget_usd = row.maybe_real(10),
                     .period = budget_period(row.text(11)).value_or(BudgetPeriod::total)}};
}

}  // namespace lichen::ledger
