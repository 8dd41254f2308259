// Start here. Lichen lets a small and a large language model answer as one.
//
//   boost::asio::io_context io;
//   auto runtime = lichen::Runtime::open("lichen.yaml", io.get_executor());
//   lichen::Turn turn("default");
//   lichen::Request request{.messages = {{"user", "What is 12 + 30?"}}};
//   auto answer = boost::asio::co_spawn(io, (*runtime)->answer(request, turn), use_future);
//
// answerer.h  the one idea: everything that answers is an Answerer
// request.h   what is asked
// turn.h      a request in progress
// receipt.h   what it cost and who wrote what
// session.h   the token-level handle on a local model
// runtime.h   a configuration file, loaded
// result.h    errors as values
#pragma once

#include "lichen/answerer.h"
#include "lichen/receipt.h"
#include "lichen/request.h"
#include "lichen/result.h"
#include "lichen/runtime.h"
#include "lichen/session.h"
#include "lichen/turn.h"
