// Python's pickles, read as data: a stack machine that knows whole numbers, lists, tuples and NumPy's arrays (level
// L1).
#include "format_pickle.h"

#include <limits>

namespace birnn {

namespace {

// What stands on the stack. `number`: a whole number, or the number of a text or of a sequence.
struct Value {
  enum class Kind { nothing, integer, text, sequence, mark, make_array, make_dtype, encode, ndarray, array, dtype };
  Kind kind = Kind::nothing;
  std::int64_t number = 0;
};
using Kind = Value::Kind;

// A list or tuple: `numbers` as long as there is nothing else in it, then `values`.
struct Sequence {
  std::vector<std::int32_t> numbers;
  std::vector<Value> values;
};

constexpr std::size_t most_values = 1000000;
constexpr std::int64_t no_sequence = -1;

// Sequences lie in one vector and know each other by number: whatever a file does, nothing is freed recursively.
class Machine {
 public:
  explicit Machine(const ByteSpan& pickle) : in_(pickle, "the pickle") {}
  std::vector<std::vector<std::int32_t>> run();

 private:
  void step(uint64_t code);
  void step_text(uint64_t code);
  void step_sequence(uint64_t code);
  void step_memo(uint64_t code);
  void push(Kind kind, std::int64_t number = 0);
  void push_text(uint64_t length);
  void push_sequence(std::size_t first);
  void push_long(uint64_t width);
  void push_name(const std::string& name);
  Value pop();
  std::size_t pop_mark();
  const std::string& text_of(const Value& value) const;
  Sequence& sequence_of(const Value& value);
  void append(Sequence& to, const Value& value);
  void remember(uint64_t slot);
  void call();
  void build();
  std::string line();
  std::vector<std::vector<std::int32_t>> lists();

  Cursor in_;
  std::vector<Value> stack_, memo_;
  std::vector<Sequence> sequences_;
  std::vector<std::string> texts_;
};

void Machine::push(Kind kind, std::int64_t number) {
  if (stack_.size() >= most_values) in_.reject("the pickle is nested too deeply");
  stack_.push_back({kind, number});
}

Value Machine::pop() {
  if (stack_.empty()) in_.reject("the pickle is damaged");
  const Value value = stack_.back();
  stack_.pop_back();
  return value;
}

// Where the values after the last mark start; the mark goes.
std::size_t Machine::pop_mark() {
  std::size_t at = stack_.size();
  while (at > 0 && stack_[at - 1].kind != Kind::mark) --at;
  if (at == 0) in_.reject("the pickle is damaged");
  stack_.erase(stack_.begin() + static_cast<std::ptrdiff_t>(at - 1));
  return at - 1;
}

void Machine::push_text(uint64_t length) {
  if (length > 64 || texts_.size() >= most_values) in_.reject("the pickle holds text, not only whole numbers");
  texts_.push_back(in_.text(length));
  push(Kind::text, static_cast<std::int64_t>(texts_.size() - 1));
}

const std::string& Machine::text_of(const Value& value) const {
  if (value.kind != Kind::text) in_.reject("the pickle is damaged");
  return texts_[static_cast<std::size_t>(value.number)];
}

Sequence& Machine::sequence_of(const Value& value) {
  if (value.kind != Kind::sequence) in_.reject("the pickle holds something else than lists of whole numbers");
  return sequences_[static_cast<std::size_t>(value.number)];
}

void Machine::append(Sequence& to, const Value& value) {
  const bool fits = value.kind == Kind::integer && value.number > std::numeric_limits<std::int32_t>::min() &&
                    value.number <= std::numeric_limits<std::int32_t>::max();
  if (fits && to.values.empty()) {
    to.numbers.push_back(static_cast<std::int32_t>(value.number));
    return;
  }
  for (const std::int32_t number : to.numbers) to.values.push_back({Kind::integer, number});
  to.numbers.clear();
  to.values.push_back(value);
}

// A list or tuple of the values from `first` on, which it takes from the stack.
void Machine::push_sequence(std::size_t first) {
  if (sequences_.size() >= most_values) in_.reject("the pickle holds too many lists");
  if (first > stack_.size()) in_.reject("the pickle is damaged");
  sequences_.emplace_back();
  for (std::size_t k = first; k < stack_.size(); ++k) append(sequences_.back(), stack_[k]);
  stack_.resize(first);
  push(Kind::sequence, static_cast<std::int64_t>(sequences_.size() - 1));
}

// Little-endian, two's complement.
void Machine::push_long(uint64_t width) {
  if (width > 8) in_.reject("the pickle holds a whole number of more than 64 bits");
  if (width == 0) return push(Kind::integer, 0);
  uint64_t value = in_.number(static_cast<unsigned>(width));
  if (width < 8 && (value >> (8 * width - 1)) != 0) value |= ~uint64_t{0} << (8 * width);
  push(Kind::integer, static_cast<std::int64_t>(value));
}

void Machine::push_name(const std::string& name) {
  if (name == "numpy.core.multiarray _reconstruct" || name == "numpy._core.multiarray _reconstruct")
    return push(Kind::make_array);
  if (name == "numpy ndarray") return push(Kind::ndarray);
  if (name == "numpy dtype") return push(Kind::make_dtype);
  if (name == "_codecs encode") return push(Kind::encode);
  in_.reject("the pickle asks for " + shown(name) + ", which is not data");
}

std::string Machine::line() {
  std::string text;
  for (std::string letter = in_.text(1); letter != "\n"; letter = in_.text(1)) {
    text += letter;
    if (text.size() > 64) in_.reject("the pickle is damaged");
  }
  return text;
}

void Machine::remember(uint64_t slot) {
  if (stack_.empty() || slot > memo_.size() || slot >= most_values) in_.reject("the pickle is damaged");
  if (slot == memo_.size()) memo_.emplace_back();
  memo_[static_cast<std::size_t>(slot)] = stack_.back();
}

// A call of one of the names: makes an empty array, a type, or text. Its arguments say nothing that is needed.
void Machine::call() {
  sequence_of(pop());
  switch (pop().kind) {
    case Kind::make_array:
      return push(Kind::array, no_sequence);
    case Kind::make_dtype:
      return push(Kind::dtype);
    case Kind::encode:
      return push(Kind::nothing);
    default:
      in_.reject("the pickle is damaged");
  }
}

// The state of an array is (version, shape, dtype, is column-major, list of elements).
void Machine::build() {
  const Value state = pop();
  if (stack_.empty()) in_.reject("the pickle is damaged");
  if (stack_.back().kind == Kind::dtype) return;
  const Sequence& parts = sequence_of(state);
  if (stack_.back().kind != Kind::array || parts.values.size() != 5) in_.reject("the pickle is damaged");
  sequence_of(parts.values[4]);
  stack_.back().number = parts.values[4].number;
}

void Machine::step_text(uint64_t code) {
  switch (code) {
    case 'c': {
      const std::string module = line();
      return push_name(module + " " + line());
    }
    case 0x93: {
      const Value name = pop(), module = pop();
      return push_name(text_of(module) + " " + text_of(name));
    }
    case 'X':
    case 'B':
      return push_text(in_.number(4));
    case 'C':
    case 'U':
    case 0x8c:
      return push_text(in_.number(1));
    default:
      in_.reject("the pickle holds something else than lists of whole numbers");
  }
}

void Machine::step_sequence(uint64_t code) {
  switch (code) {
    case '(':
      return push(Kind::mark);
    case ')':
    case ']':
      return push_sequence(stack_.size());
    case 't':
    case 'l':
      return push_sequence(pop_mark());
    case 0x85:
    case 0x86:
    case 0x87:
      if (stack_.size() < code - 0x84) in_.reject("the pickle is damaged");
      return push_sequence(stack_.size() - static_cast<std::size_t>(code - 0x84));
    case 'a': {
      const Value value = pop();
      if (stack_.empty()) in_.reject("the pickle is damaged");
      return append(sequence_of(stack_.back()), value);
    }
    case 'e': {
      const std::size_t first = pop_mark();
      if (first == 0) in_.reject("the pickle is damaged");
      Sequence& list = sequence_of(stack_[first - 1]);
      for (std::size_t k = first; k < stack_.size(); ++k) append(list, stack_[k]);
      return stack_.resize(first);
    }
    default:
      return step_text(code);
  }
}

void Machine::step_memo(uint64_t code) {
  const bool puts = code == 'q' || code == 'r';
  const uint64_t slot = in_.number(code == 'q' || code == 'h' ? 1 : 4);
  if (puts) return remember(slot);
  if (slot >= memo_.size()) in_.reject("the pickle is damaged");
  const Value value = memo_[static_cast<std::size_t>(slot)];
  push(value.kind, value.number);
}

void Machine::step(uint64_t code) {
  switch (code) {
    case 'K':
      return push(Kind::integer, static_cast<std::int64_t>(in_.number(1)));
    case 'M':
      return push(Kind::integer, static_cast<std::int64_t>(in_.number(2)));
    case 'J':
      return push_long(4);
    case 0x8a:
      return push_long(in_.number(1));
    case 'N':
    case 0x88:
    case 0x89:
      return push(Kind::nothing);
    case 'q':
    case 'r':
    case 'h':
    case 'j':
      return step_memo(code);
    case 0x94:
      return remember(memo_.size());
    case 'R':
      return call();
    case 'b':
      return build();
    case 0x80:
      return in_.skip(1);
    case 0x95:
      return in_.skip(8);
    default:
      return step_sequence(code);
  }
}

std::vector<std::vector<std::int32_t>> Machine::lists() {
  const Value result = pop();
  if (result.kind != Kind::array || result.number == no_sequence || !stack_.empty())
    in_.reject("the pickle is not an array of lists of whole numbers");
  const Sequence& elements = sequences_[static_cast<std::size_t>(result.number)];
  if (!elements.numbers.empty()) in_.reject("the pickle is not an array of lists of whole numbers");
  std::vector<std::vector<std::int32_t>> result_lists;
  uint64_t total = 0;
  for (const Value& element : elements.values) {
    const Sequence& list = sequence_of(element);
    if (!list.values.empty()) in_.reject("the pickle holds something else than lists of whole numbers");
    total += list.numbers.size();
    // Every number takes a byte at least, so a list is there more than once: no file of data, but one that swells.
    if (total > in_.bytes().size()) in_.reject("the pickle holds the same list many times");
    result_lists.push_back(list.numbers);
  }
  return result_lists;
}

std::vector<std::vector<std::int32_t>> Machine::run() {
  for (uint64_t code = in_.number(1); code != '.'; code = in_.number(1)) step(code);
  return lists();
}

}  // namespace

std::vector<std::vector<std::int32_t>> pickled_integer_lists(const ByteSpan& pickle) { return Machine(pickle).run(); }

}  // namespace birnn
