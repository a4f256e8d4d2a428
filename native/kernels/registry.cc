#include "registry.h"

#include <cstring>
#include <iterator>

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

constexpr bool same(const char* a, const char* b) {
  while (*a != 0 && *a == *b) a++, b++;
  return *a == *b;
}

// -0 where the rule has a field `maximize` and it is on.
template <class Rule>
float signOf(const typename Rule::Hyperparameters& h) {
  constexpr size_t at = [] {
    size_t i = 0;
    while (i < std::size(Rule::kFields) && !same(Rule::kFields[i].name, "maximize")) i++;
    return i;
  }();
  if constexpr (at < std::size(Rule::kFields)) {
    if (h.*Rule::kFields[at].member != 0) return -0.0f;
  }
  return 0.0f;
}

template <class Rule>
Prepared prepare(const double* hyperparameters, RecordStorage& storage, ScalarMaker& f32,
                 ScalarStorage& bytes) {
  // One copy, since JavaScript may write the struct while this runs on another thread.
  const auto h = read<Rule>(hyperparameters);
  typename Rule::Record record;
  typename Rule::Scalars scalars;
  static_assert(sizeof record <= sizeof storage.values, "kMaxRecord is too small");
  static_assert(sizeof scalars <= sizeof bytes.bytes, "ScalarStorage is too small");
  std::memcpy(&record, storage.values, sizeof record);
  const int variant = Rule::prepare(h, record, f32, scalars);
  std::memcpy(storage.values, &record, sizeof record);
  std::memcpy(bytes.bytes, &scalars, sizeof scalars);
  return {variant, Rule::states(h), Rule::keepsZero(h), signOf<Rule>(h)};
}

template <class Rule>
constexpr RuleInfo row(int index) {
  using Record = typename Rule::Record;
  constexpr size_t fields = std::size(Rule::kFields);
  static_assert(fields * sizeof(double) == sizeof(typename Rule::Hyperparameters),
                "kFields must name every hyperparameter");
  static_assert(fields <= kMaxFields, "kMaxFields is too small");
  static_assert(std::size(Record::kNames) * sizeof(double) == sizeof(Record),
                "kNames must name every member of the record");
  return {Rule::kName,     index,        fields,
          fieldName<Rule>, field<Rule>,  std::size(Record::kNames),
          Record::kNames,  prepare<Rule>};
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
