#include "registry.h"

#include "../math/elementary.h"

namespace gradstep {
namespace {

template <class Item, size_t count>
constexpr size_t lengthOf(const Item (&)[count]) {
  return count;
}

template <class Rule>
typename Rule::Hyperparameters read(const double* hyperparameters) {
  typename Rule::Hyperparameters h;
  copyBytes(&h, hyperparameters, sizeof h);
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
    while (i < lengthOf(Rule::kFields) && !same(Rule::kFields[i].name, "maximize")) i++;
    return i;
  }();
  if constexpr (at < lengthOf(Rule::kFields)) {
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
  copyBytes(&record, storage.values, sizeof record);
  const int variant = Rule::prepare(h, record, f32, scalars);
  copyBytes(storage.values, &record, sizeof record);
  copyBytes(bytes.bytes, &scalars, sizeof scalars);
  bool keepsZero = false;
  if constexpr (!kIsWhole<Rule>) keepsZero = Rule::keepsZero(h);
  return {variant, Rule::states(h), keepsZero, signOf<Rule>(h)};
}

template <class Rule>
size_t stateLength(const Shape& shape, [[maybe_unused]] int which) {
  if constexpr (kIsWhole<Rule>) return Rule::stateLength(shape, which);
  return shape.length;
}

template <class Rule>
size_t workspace([[maybe_unused]] const Shape& shape,
                 [[maybe_unused]] const double* hyperparameters) {
  if constexpr (kIsWhole<Rule>) return Rule::workspace(shape, read<Rule>(hyperparameters));
  return 0;
}

template <class Rule>
constexpr RuleInfo row(int index) {
  using Record = typename Rule::Record;
  constexpr size_t fields = lengthOf(Rule::kFields);
  static_assert(fields * sizeof(double) == sizeof(typename Rule::Hyperparameters),
                "kFields must name every hyperparameter");
  static_assert(fields <= kMaxFields, "kMaxFields is too small");
  static_assert(lengthOf(Record::kNames) * sizeof(double) == sizeof(Record),
                "kNames must name every member of the record");
  return {Rule::kName,       index,          fields,
          fieldName<Rule>,   field<Rule>,    lengthOf(Record::kNames),
          Record::kNames,    prepare<Rule>,  kIsWhole<Rule>,
          stateLength<Rule>, workspace<Rule>};
}

template <class... Rules>
constexpr auto rowsOf(RuleList<Rules...>) {
  struct Rows {
    RuleInfo list[sizeof...(Rules)];
  };
  int index = 0;
  return Rows{{row<Rules>(index++)...}};
}

constexpr auto kRows = rowsOf(AllRules{});

}  // namespace

const RuleInfo* findRule(const char* name) {
  for (const RuleInfo& info : kRows.list) {
    if (same(info.name, name)) return &info;
  }
  return nullptr;
}

}  // namespace gradstep
