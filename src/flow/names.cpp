// SPDX-License-Identifier: Apache-2.0
#include "flow/names.h"

#include "base/text.h"

namespace ser::flow {

namespace {

net::DnsType type_of(std::string_view name) {
  for (const net::DnsType type :
       {net::DnsType::a, net::DnsType::aaaa, net::DnsType::srv, net::DnsType::ptr}) {
    if (net::to_string(type) == name) return type;
  }
  return net::DnsType::none;
}

std::string key_of(const net::DnsName& name, net::DnsType type) {
  return std::string(name.view()) + ' ' + std::string(net::to_string(type));
}

bool add_record(std::string_view record, net::DnsAnswer& out) {
  if (out.count == net::DnsAnswer::kMax) return false;
  switch (out.type) {
    case net::DnsType::a:
    case net::DnsType::aaaa: {
      const auto ip = parse_ip(record);
      if (!ip) return false;
      out.addresses[out.count++] = *ip;
      return true;
    }
    case net::DnsType::srv: {
      net::SrvRecord& srv = out.srv[out.count];
      std::uint16_t* const numbers[] = {&srv.priority, &srv.weight, &srv.port};
      for (std::uint16_t* number : numbers) {
        const auto value = parse_u32(split_off(record, ' '), 65535);
        if (!value) return false;
        *number = static_cast<std::uint16_t>(*value);
      }
      if (!srv.target.assign(record)) return false;
      ++out.count;
      return true;
    }
    case net::DnsType::ptr:
      out.count = 1;
      return out.name.assign(record);
    default:
      return false;
  }
}

}  // namespace

bool Names::set(const NameStep& step) {
  const net::DnsType type = type_of(step.type);
  net::DnsName name;
  const auto ip = parse_ip(step.name);
  if (ip && type == net::DnsType::ptr)
    name = net::reverse_name(*ip);
  else if (!name.assign(step.name))
    return false;
  Answer entry;
  entry.delay = step.delay;
  entry.timeout = step.outcome == NameStep::Outcome::timeout;
  entry.scripted = true;
  const net::DnsStatus status = step.outcome == NameStep::Outcome::records   ? net::DnsStatus::ok
                                : step.outcome == NameStep::Outcome::no_name ? net::DnsStatus::no_name
                                : step.outcome == NameStep::Outcome::no_data ? net::DnsStatus::no_data
                                                                             : net::DnsStatus::failure;
  entry.answer.clear(type, status);
  entry.answer.ttl = step.ttl;
  for (const Text& record : step.records) {
    if (!add_record(record.text, entry.answer)) return false;
  }
  x_answers[key_of(name, type)] = entry;
  return true;
}

Names::Answer Names::ask(std::string_view text, net::DnsType type) const {
  Answer none;
  none.answer.clear(type, net::DnsStatus::no_name);
  net::DnsName name;
  if (!name.assign(text)) return none;
  const auto found = x_answers.find(key_of(name, type));
  if (found != x_answers.end()) return found->second;
  const std::string prefix = std::string(name.view()) + ' ';
  const auto other = x_answers.lower_bound(prefix);
  if (other != x_answers.end() && other->first.starts_with(prefix) &&
      other->second.answer.status == net::DnsStatus::ok)
    none.answer.status = net::DnsStatus::no_data;
  return none;
}

}  // namespace ser::flow
