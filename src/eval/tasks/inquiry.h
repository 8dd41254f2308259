// Questions about companies' figures, the figures that they take, and the sentences of the reports
// that state them: what the skills of `extract` are taught with, and documents are made of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "eval/tasks/task.h"

namespace lichen::eval::tasks {

struct Figure {
  std::string company;
  std::string_view measure;
  int year = 0;
  int value = 0;

  std::string named() const;    // "revenue of Gupa in 2020"
  std::string job() const;      // "Find the revenue of Gupa in 2020."
  std::string finding() const;  // "revenue of Gupa in 2020: 388"
};

/// A question, the figures that it takes, and the answer from them.
struct Inquiry {
  std::string question;
  std::vector<Figure> figures;
  std::vector<std::string> steps;
  std::string answer;
};

std::string company(Random& random);
Figure random_figure(Random& random);
Inquiry random_inquiry(Maker& maker);

/// A sentence that states the figure.
std::string statement(Random& random, const Figure& figure);
/// One that states none, of either company or of neither.
std::string talk(Random& random, std::string_view first, std::string_view second);

}  // namespace lichen::eval::tasks
