#include "registry.h"

#include <cstring>

namespace gradstep {
namespace {

template <class Rule>
typename Rule::Hyperparameters read(const double* hyperparameters) {
  typename Rule::Hyperparameters h;
  std::memcpy(&h, hyperparameters, sizeof h);
  return h;
}

template <class Rule>
const char* fieldName(size_t field) {
  return Rule::kFields[field].name;
}

template <class Rule>
double field(const double* hyperparameters, size_t field) {
  return read<Rule>(hyperparameters).*Rule::kFields[field].member;
}

template <class Rule>
uint32_t states(const double* hyperparameters) {
  return Rule::states(read<Rule>(hyperparameters));
}

template <class Rule>
bool counts(const double* hyperparameters) {
  return Rule::counts(read<Rule>(hyperparameters));
}

template <class Rule>
bool keepsZero(const double* hyperparameters) {
  return Rule::keepsZero(read<Rule>(hyperparameters));
}

template <class Rule>
int prepare(const double* hyperparameters, double count, ScalarMaker& f32, ScalarStorage& storage) {
  typename Rule::Scalars scalars;
  static_assert(sizeof scalars <= sizeof storage.bytes, "ScalarStorage is too small");
  const int variant = Rule::prepare(read<Rule>(hyperparameters), count, f32, scalars);
  std::memcpy(storage.bytes, &scalars, sizeof scalars);
  return variant;
}

template <class Rule>
constexpr RuleInfo row(int index) {
  constexpr size_t fields = sizeof Rule::kFields / sizeof Rule::kFields[0];
  static_assert(fields * sizeof(double) == sizeof(typename Rule::Hyperparameters),
                "kFields must name every hyperparameter");
  static_assert(fields <= kMaxFields, "kMaxFields is too small");
  return {Rule::kName, index,        Rule::kByCount, fields,          fieldName<Rule>,
          field<Rule>, states<Rule>, counts<Rule>,   keepsZero<Rule>, prepare<Rule>};
}

template <class... Rules>
const RuleInfo* find(const char* name, RuleList<Rules...>) {
  int index = 0;
  static const RuleInfo rows[] = {row<Rules>(index++)...};
  for (const RuleInfo& info : rows) {
    if (std::strcmp(info.name, name) == 0) return &info;
  }
  return nullptr;
}

}  // namespace

const RuleInfo* findRule(const char* name) { return find(name, AllRules{}); }

}  // namespace gradstep
