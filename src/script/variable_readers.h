// SPDX-License-Identifier: Apache-2.0
// Readers and writers of the core's variables; the table in variables.cpp names them.
#pragma once
#include <string_view>

#include "base/result.h"
#include "proxy/run.h"
#include "proxy/value.h"
#include "script/variable.h"

namespace ser::script::var {

using proxy::Run;
using proxy::Value;
using Bound = BoundVariable;

/// The text; an empty one where there is none.
inline Value text(std::string_view view) noexcept {
  return Value::of(view.data() == nullptr ? std::string_view("") : view);
}
inline Value text_or_null(std::string_view view) noexcept {
  return view.empty() ? Value::null() : Value::of(view);
}

// The message as received (variables_message.cpp).
Value method(const Bound&, Run&);
Value status(const Bound&, Run&);
Value reason(const Bound&, Run&);
Value version(const Bound&, Run&);
Value from_uri(const Bound&, Run&);
Value from_user(const Bound&, Run&);
Value from_domain(const Bound&, Run&);
Value from_display(const Bound&, Run&);
Value from_tag(const Bound&, Run&);
Value to_uri(const Bound&, Run&);
Value to_user(const Bound&, Run&);
Value to_domain(const Bound&, Run&);
Value to_display(const Bound&, Run&);
Value to_tag(const Bound&, Run&);
Value call_id(const Bound&, Run&);
Value cseq(const Bound&, Run&);
Value cseq_method(const Bound&, Run&);
Value user_agent(const Bound&, Run&);
Value contact(const Bound&, Run&);
Value content_type(const Bound&, Run&);
Value content_length(const Bound&, Run&);
Value asserted_identity(const Bound&, Run&);
Value message_text(const Bound&, Run&);
Value message_length(const Bound&, Run&);
Value body(const Bound&, Run&);
Value header(const Bound&, Run&);
Value header_count(const Bound&, Run&);

// The state of the run (variables_state.cpp).
Value uri(const Bound&, Run&);
Value original_uri(const Bound&, Run&);
Value uri_user(const Bound&, Run&);
Value uri_domain(const Bound&, Run&);
Value uri_port(const Bound&, Run&);
Value uri_protocol(const Bound&, Run&);
Value uri_scheme(const Bound&, Run&);
Result<void> set_uri(const Bound&, Run&, const Value&);
Result<void> set_uri_user(const Bound&, Run&, const Value&);
Result<void> set_uri_domain(const Bound&, Run&, const Value&);
Result<void> set_uri_port(const Bound&, Run&, const Value&);
Value destination(const Bound&, Run&);
Value destination_domain(const Bound&, Run&);
Value destination_port(const Bound&, Run&);
Result<void> set_destination(const Bound&, Run&, const Value&);
Value source_ip(const Bound&, Run&);
Value source_port(const Bound&, Run&);
Value received_ip(const Bound&, Run&);
Value received_port(const Bound&, Run&);
Value received_name(const Bound&, Run&);
Value protocol(const Bound&, Run&);
Value forced_socket(const Bound&, Run&);
Value branch_uri(const Bound&, Run&);
Value message_flags(const Bound&, Run&);
Value branch_flags(const Bound&, Run&);
Value message_type(const Bound&, Run&);
Value message_number(const Bound&, Run&);
Value process_id(const Bound&, Run&);
Value unix_time(const Bound&, Run&);
Value return_code(const Bound&, Run&);
Value null(const Bound&, Run&);
Value local(const Bound&, Run&);
Result<void> set_local(const Bound&, Run&, const Value&);
Value avp(const Bound&, Run&);
Result<void> set_avp(const Bound&, Run&, const Value&);
Value constant(const Bound&, Run&);
Value of_module(const Bound&, Run&);
Result<void> set_of_module(const Bound&, Run&, const Value&);

}  // namespace ser::script::var
