// Attributes and the registry of ops (level L3).
#include "op.h"

#include <unordered_map>

namespace birnn {

double Attrs::number(const std::string& name) const {
  const auto found = numbers_.find(name);
  if (found == numbers_.end() || found->second.empty()) fail("internal", "the attribute '" + name + "' is missing");
  return found->second[0];
}

double Attrs::number(const std::string& name, double otherwise) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() || found->second.empty() ? otherwise : found->second[0];
}

const std::vector<double>& Attrs::numbers(const std::string& name) const {
  static const std::vector<double> none;
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? none : found->second;
}

const std::vector<std::string>& Attrs::texts(const std::string& name) const {
  static const std::vector<std::string> none;
  const auto found = texts_.find(name);
  return found == texts_.end() ? none : found->second;
}

const std::string& Attrs::text(const std::string& name) const {
  const std::vector<std::string>& found = texts(name);
  if (found.empty()) fail("internal", "the attribute '" + name + "' is missing");
  return found[0];
}

std::string Attrs::text(const std::string& name, const std::string& otherwise) const {
  const std::vector<std::string>& found = texts(name);
  return found.empty() ? otherwise : found[0];
}

namespace {
std::unordered_map<std::string, OpDef>& registry() {
  static std::unordered_map<std::string, OpDef> ops;
  return ops;
}
}  // namespace

void register_op(const OpDef& def) { registry()[def.name] = def; }

const OpDef& find_op(const std::string& name) {
  const auto found = registry().find(name);
  if (found == registry().end()) fail("value", "there is no op '" + name + "'");
  return found->second;
}

std::vector<std::string> op_names() {
  std::vector<std::string> names;
  for (const auto& entry : registry()) names.push_back(entry.first);
  return names;
}

void register_all_ops() {
  register_elementwise_ops();
  register_reduce_ops();
  register_shape_ops();
  register_matmul_ops();
  register_index_ops();
  register_loss_ops();
  register_random_ops();
  register_recurrent_ops();
}

}  // namespace birnn
