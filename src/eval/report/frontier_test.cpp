#include "eval/report/frontier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/property_tree/xml_parser.hpp>
#include <sstream>

#include "eval/report/test_report.h"

namespace lichen::eval {
namespace {

using testing::HasSubstr;
using testing::Not;

Row row(std::string plan, double accuracy, double cost) {
  Row made{.plan = std::move(plan), .n = 10, .accuracy = accuracy, .accuracy_low = accuracy - 0.05};
  made.accuracy_high = std::min(1.0, accuracy + 0.05);
  made.large_token_share = cost;
  made.p50_ms = 10;
  return made;
}

TEST(Frontier, WhoIsBeatenIsNotOnIt) {
  const Report report{.suite = "s",
                      .rows = {row("large", 0.9, 1), row("worse", 0.5, 0.5), row("small", 0.6, 0),
                               row("good", 0.85, 0.3), row("dear", 0.85, 0.4)}};
  const auto points = frontier_points(report, Cost::large_tokens);
  std::vector<std::string> order, best;
  for (const auto& point : points) {
    order.push_back(point.row->plan);
    if (point.on_frontier) best.push_back(point.row->plan);
  }
  EXPECT_THAT(order, testing::ElementsAre("small", "good", "dear", "worse", "large"));
  EXPECT_THAT(best, testing::ElementsAre("small", "good", "large"));
}

TEST(Frontier, EqualsAreBothOnIt) {
  const Report report{.suite = "s", .rows = {row("a", 0.9, 0.5), row("b", 0.9, 0.5)}};
  for (const auto& point : frontier_points(report, Cost::large_tokens)) {
    EXPECT_TRUE(point.on_frontier) << point.row->plan;
  }
}

TEST(Frontier, UsdWherePricesAreKnown) {
  Report report{.suite = "s", .rows = {row("a", 0.9, 0.5), row("b", 0.9, 0.5)}};
  EXPECT_EQ(cost_known(report), Cost::large_tokens);
  report.rows[1].usd = 0.25;
  EXPECT_EQ(cost_known(report), Cost::usd);
  EXPECT_EQ(frontier_points(report, Cost::usd).size(), 2u);
  report.rows[0].p50_ms = std::nullopt;
  EXPECT_EQ(frontier_points(report, Cost::usd).size(), 1u) << "the other answered nothing";
}

TEST(FrontierFile, IsAWholeDrawing) {
  const auto svg = frontier_file(report_with_everything("a & <b>"));
  std::istringstream stream(svg);
  boost::property_tree::ptree tree;
  ASSERT_NO_THROW(boost::property_tree::read_xml(stream, tree));
  const auto& root = tree.get_child("svg");
  EXPECT_EQ(root.get<std::string>("<xmlattr>.xmlns"), "http://www.w3.org/2000/svg");
  EXPECT_EQ(root.count("circle"), 3u);
  EXPECT_EQ(root.count("polyline"), 1u);
  EXPECT_EQ(root.count("style"), 1u);
  EXPECT_THAT(svg, HasSubstr(">a &amp; &lt;b&gt;</text>"));
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(FrontierFile, NothingToShowIsAnEmptyFrame) {
  const auto svg = frontier_file({.suite = "s", .rows = {}});
  std::istringstream stream(svg);
  boost::property_tree::ptree tree;
  ASSERT_NO_THROW(boost::property_tree::read_xml(stream, tree));
  EXPECT_EQ(tree.get_child("svg").count("circle"), 0u);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace lichen::eval
