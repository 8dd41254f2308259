// Where the names of points go, so that no name covers another, a point or an edge.
#pragma once

#include <span>
#include <vector>

#include "eval/report/svg.h"

namespace lichen::eval {

struct Label {
  Point point;  // what it names
  Size size;    // of its text
};

struct PlacedLabel {
  Box box;             // where the text goes
  bool apart = false;  // so far from its point that a line should lead there
};

/// In the order of `labels`. `obstacles`: what no label should cover. Each gets the nearest place
/// that is free and whose line crosses nothing; where there is none, the one that disturbs least.
/// First come, first served, then some rounds in which each may move again.
std::vector<PlacedLabel> place_labels(std::span<const Label> labels, std::span<const Box> obstacles,
                                      Box bounds);

/// The place of a box that is nearest to a point: where the line from there ends.
Point nearest(const Box& box, Point point);

/// The area that two boxes share.
double overlap(const Box& a, const Box& b);

}  // namespace lichen::eval
