// What the tests of this folder share: a detector of few kinds, made once.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "mechanisms/privacy/mask_rules.h"
#include "privacy/detector_pool.h"

namespace lichen::mechanisms {

inline std::shared_ptr<privacy::DetectorPool> test_detectors() {
  static const auto pool = std::make_shared<privacy::DetectorPool>();
  return pool;
}

/// EMAIL, PHONE, and PERSON "Zoë Lee".
inline std::shared_ptr<MaskRules> test_rules(PrivatePolicy policy = PrivatePolicy::mask) {
  using privacy::index_of;
  using privacy::Kind;
  const auto detector = test_detectors()->get(privacy::KindSet()
                                                  .set(index_of(Kind::email))
                                                  .set(index_of(Kind::phone))
                                                  .set(index_of(Kind::person)),
                                              {{Kind::person, "Zoë Lee"}});
  EXPECT_TRUE(detector) << detector.error().detail;
  auto rules = std::make_shared<MaskRules>();
  rules->policy = policy;
  if (detector) rules->detector = *detector;
  return rules;
}

}  // namespace lichen::mechanisms
