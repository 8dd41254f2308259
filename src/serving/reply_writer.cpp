#include "serving/reply_writer.h"

#include "serving/anthropic_reply.h"
#include "serving/openai_reply.h"
#include "serving/responses_reply.h"

namespace lichen::serving {

void Usage::add(const Answer& answer, std::size_t choice, std::size_t per_prompt) {
  completion += answer.completion_tokens;
  drafted += answer.drafted_tokens;
  accepted += answer.accepted_tokens;
  if (choice % per_prompt != 0) return;
  prompt += answer.prompt_tokens;
  cached += answer.cached_tokens;
}

std::unique_ptr<ReplyWriter> make_reply_writer(const CompletionCall& call, ReplyHead head) {
  switch (call.dialect) {
    case Dialect::messages: return std::make_unique<AnthropicReply>(std::move(head));
    case Dialect::responses:
      return std::make_unique<ResponsesReply>(std::move(head), call.repeated, call.logprobs);
    case Dialect::chat:
    case Dialect::completion: break;
  }
  return std::make_unique<OpenAiReply>(std::move(head),
                                       OpenAiReplyOptions{.chat = call.dialect == Dialect::chat,
                                                          .choices = call.requests.size(),
                                                          .per_prompt = call.per_prompt,
                                                          .include_usage = call.include_usage,
                                                          .logprobs = call.logprobs,
                                                          .echo = call.echo});
}

void add_event(std::string& out, std::string_view name, std::string_view data) {
  out.append("event: ").append(name).append("\ndata: ").append(data).append("\n\n");
}

}  // namespace lichen::serving
