#include "eval/report/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/property_tree/xml_parser.hpp>
#include <sstream>

#include "eval/report/test_report.h"

namespace lichen::eval {
namespace {

using boost::property_tree::ptree;
using testing::HasSubstr;
using testing::Not;

/// Throws where the page is not well-formed.
ptree parsed(const std::string& page) {
  std::istringstream stream(page.substr(page.find('\n')));  // the parser knows no document type
  ptree tree;
  boost::property_tree::read_xml(stream, tree);
  return tree;
}

/// All elements of a name, however deep.
void find_all(const ptree& tree, const std::string& name, std::vector<const ptree*>& found) {
  for (const auto& [key, child] : tree) {
    if (key == name) found.push_back(&child);
    find_all(child, name, found);
  }
}

std::vector<const ptree*> all(const ptree& tree, const std::string& name) {
  std::vector<const ptree*> found;
  find_all(tree, name, found);
  return found;
}

TEST(Html, IsWellFormedAndHasEverySection) {
  const auto page = to_html(report_with_everything());
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>\n"));
  const ptree tree = parsed(page);
  EXPECT_EQ(tree.get<std::string>("html.head.title"), "Lichen evaluation: test");
  EXPECT_EQ(all(tree, "svg").size(), 3u) << "cost, time, one router";
  EXPECT_EQ(all(tree, "table").size(), 7u)
      << "plans, thresholds, curves, pairs, levels, families, failures";
  std::vector<std::string> titles;
  for (const auto* title : all(tree, "h2")) titles.push_back(title->data());
  EXPECT_THAT(titles, testing::ElementsAre("Plans", "Frontier", "Routers at every threshold",
                                           "Two plans together", "By level", "By family",
                                           "Failures", "How this was made"));
  EXPECT_THAT(tree.get<std::string>("html.body.main.header.h1"),
              HasSubstr("route is right on 90.0 %, as right as large alone"));
  EXPECT_THAT(page, HasSubstr("<td>upstream</td><td>1</td><td>100</td>"));
  EXPECT_THAT(page, HasSubstr("<td>40</td><td>0</td><td>50</td><td>90.0 %</td><td>50.0 %</td>"))
      << "small and large";
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

TEST(Html, NeedsNothingBesideIt) {
  const auto page = to_html(report_with_everything());
  for (const auto* outside : {"<script", "<link", "<img", "@import", "url(", "src=", "href="}) {
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  }
}

TEST(Html, NothingFromOutsideIsMarkup) {
  const std::string evil = "<script>x</script>\"'&\x01\xFF";
  auto report = report_with_everything(evil);
  report.suite = evil;
  report.rows[2].errors = {{evil, 1}};
  report.rows[2].families[0].name = report.rows[0].families[0].name = evil;
  report.origin = {.command = evil,
                   .version = evil,
                   .date = evil,
                   .cpu = evil,
                   .cores = 1,
                   .settings = {{evil, evil}}};
  const auto page = to_html(report);
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
  EXPECT_THAT(page, Not(HasSubstr("\x01")));
  EXPECT_NO_THROW(parsed(page));
}

TEST(Html, SaysWhyThereAreNoFigures) {
  auto report = report_with_everything();
  report.curves[0].note = "large alone is not better";
  report.curves[0].recovered = std::nullopt;
  for (auto& curve : report.curves[0].curves) curve.figures = std::nullopt;
  EXPECT_THAT(to_html(report), HasSubstr("No PGR, APGR or CPT: large alone is not better."));
}

TEST(Html, AReportOfNothingIsAPage) {
  const Report empty{.suite = "s", .rows = {}};
  EXPECT_NO_THROW(parsed(to_html(empty)));
  const Report idle{.suite = "s", .rows = {{.plan = "p"}}};
  EXPECT_NO_THROW(parsed(to_html(idle)));
  EXPECT_THAT(to_html(idle), Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace lichen::eval
