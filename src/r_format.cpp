// Files, archives, JSON and HDF5 as R sees them (level L4).
#include <cstring>
#include <memory>

#include "format_file.h"
#include "format_hdf5.h"
#include "format_hdf5_write.h"
#include "format_json.h"
#include "format_pickle.h"
#include "format_sha256.h"
#include "format_zip.h"
#include "r_tensor.h"

namespace birnn {

namespace {

ByteSpan bytes_view(const Rcpp::RawVector& raw) { return ByteSpan(raw.begin(), static_cast<uint64_t>(raw.size())); }

Rcpp::RawVector new_raw(uint64_t size) {
  if (size > uint64_t{1} << 52) fail("resource", "there is not enough memory for this");
  return Rcpp::RawVector(Rf_allocVector(RAWSXP, static_cast<R_xlen_t>(size)));
}

Rcpp::RawVector to_raw(const std::vector<uint8_t>& bytes) {
  Rcpp::RawVector raw = new_raw(bytes.size());
  if (!bytes.empty()) std::memcpy(raw.begin(), bytes.data(), bytes.size());
  return raw;
}

SEXP text_element(const std::string& text) {
  return Rf_mkCharLenCE(text.data(), static_cast<int>(text.size()), CE_UTF8);
}

Rcpp::CharacterVector to_texts(const std::vector<std::string>& texts) {
  Rcpp::CharacterVector result(static_cast<R_xlen_t>(texts.size()));
  for (std::size_t k = 0; k < texts.size(); ++k)
    SET_STRING_ELT(result, static_cast<R_xlen_t>(k), text_element(texts[k]));
  return result;
}

std::string utf8_text(SEXP element) { return Rf_translateCharUTF8(element); }

// --- JSON ---

SEXP json_to_r(const Json& value) {
  switch (value.kind) {
    case Json::Kind::null:
      return R_NilValue;
    case Json::Kind::boolean:
      return Rf_ScalarLogical(value.truth);
    case Json::Kind::integer:
      if (value.number >= -2147483647.0 && value.number <= 2147483647.0)
        return Rf_ScalarInteger(static_cast<int>(value.number));
      return Rf_ScalarReal(value.number);
    case Json::Kind::real:
      return Rf_ScalarReal(value.number);
    case Json::Kind::string:
      return to_texts({value.text});
    case Json::Kind::array:
    case Json::Kind::object:
      break;
  }
  Rcpp::List list(static_cast<R_xlen_t>(value.items.size()));
  for (std::size_t k = 0; k < value.items.size(); ++k) list[static_cast<R_xlen_t>(k)] = json_to_r(value.items[k]);
  if (value.kind == Json::Kind::object) list.attr("names") = to_texts(value.keys);
  return list;
}

Json json_from_r(SEXP x, int depth);

// One element of an atomic vector; NA is null.
Json json_element(SEXP x, R_xlen_t k) {
  Json value;
  switch (TYPEOF(x)) {
    case LGLSXP:
      if (LOGICAL(x)[k] == NA_LOGICAL) return value;
      value.kind = Json::Kind::boolean;
      value.truth = LOGICAL(x)[k] != 0;
      return value;
    case INTSXP:
      if (INTEGER(x)[k] == NA_INTEGER) return value;
      value.kind = Json::Kind::integer;
      value.number = INTEGER(x)[k];
      return value;
    case REALSXP:
      if (R_IsNA(REAL(x)[k])) return value;
      value.kind = Json::Kind::real;
      value.number = REAL(x)[k];
      return value;
    case STRSXP:
      if (STRING_ELT(x, k) == NA_STRING) return value;
      value.kind = Json::Kind::string;
      value.text = utf8_text(STRING_ELT(x, k));
      return value;
    default:
      return value;
  }
}

bool is_json_atomic(SEXP x) {
  return TYPEOF(x) == LGLSXP || TYPEOF(x) == INTSXP || TYPEOF(x) == REALSXP || TYPEOF(x) == STRSXP;
}

Json json_from_r(SEXP x, int depth) {
  if (depth > JsonLimits().depth) fail("config", "a config that is nested so deeply cannot be saved");
  if (Rf_isNull(x)) return Json();
  if (!is_json_atomic(x) && TYPEOF(x) != VECSXP)
    fail("config", std::string("a config with an object of type ") + Rf_type2char(TYPEOF(x)) + " cannot be saved");
  const Rcpp::RObject names_of(Rf_getAttrib(x, R_NamesSymbol));
  const bool is_list = TYPEOF(x) == VECSXP, named = !names_of.isNULL();
  if (!is_list && !named && Rf_xlength(x) == 1 && !Rf_inherits(x, "AsIs")) return json_element(x, 0);
  Json value(named ? Json::Kind::object : Json::Kind::array);
  for (R_xlen_t k = 0; k < Rf_xlength(x); ++k) {
    if (named) value.keys.push_back(utf8_text(STRING_ELT(names_of, k)));
    value.items.push_back(is_list ? json_from_r(VECTOR_ELT(x, k), depth + 1) : json_element(x, k));
  }
  return value;
}

// --- HDF5 ---

struct OpenHdf5 {
  std::unique_ptr<H5File> file;
  std::vector<const H5Dataset*> datasets;
};

SEXP attribute_to_r(const H5Attribute& attribute) {
  if (attribute.type.kind == H5Type::Kind::text) return to_texts(attribute.texts);
  return Rcpp::NumericVector(attribute.numbers.begin(), attribute.numbers.end());
}

template <typename Parts, typename Convert>
Rcpp::List named_list(const Parts& parts, Convert convert) {
  Rcpp::List list(static_cast<R_xlen_t>(parts.size()));
  std::vector<std::string> names;
  for (const auto& part : parts) {
    list[static_cast<R_xlen_t>(names.size())] = convert(part);
    names.push_back(part.name);
  }
  list.attr("names") = to_texts(names);
  return list;
}

// A group: list(attributes, members); a dataset: list(attributes, dataset = its number, dtype, shape).
Rcpp::List node_to_r(const H5Node& node, OpenHdf5& open) {
  const Rcpp::List attributes = named_list(node.attributes, attribute_to_r);
  if (node.is_group) {
    const Rcpp::List members = named_list(node.members, [&](const H5Node& member) { return node_to_r(member, open); });
    return Rcpp::List::create(Rcpp::_["attributes"] = attributes, Rcpp::_["members"] = members);
  }
  Rcpp::IntegerVector shape(static_cast<R_xlen_t>(node.data.dims.size()));
  for (std::size_t k = 0; k < node.data.dims.size(); ++k)
    shape[static_cast<R_xlen_t>(k)] = static_cast<int>(node.data.dims[k]);
  open.datasets.push_back(&node.data);
  return Rcpp::List::create(Rcpp::_["attributes"] = attributes,
                            Rcpp::_["dataset"] = static_cast<int>(open.datasets.size()),
                            Rcpp::_["dtype"] = dtype_name(natural_type(node.data.type)), Rcpp::_["shape"] = shape);
}

std::vector<H5Text> attributes_from_r(const Rcpp::List& list) {
  std::vector<H5Text> result;
  if (list.size() == 0) return result;
  const Rcpp::CharacterVector names = list.names();
  for (R_xlen_t k = 0; k < list.size(); ++k) {
    const Rcpp::List entry = list[k];
    const Rcpp::CharacterVector values = entry["values"];
    H5Text text;
    text.name = utf8_text(STRING_ELT(names, k));
    for (R_xlen_t j = 0; j < values.size(); ++j) text.values.push_back(utf8_text(STRING_ELT(values, j)));
    text.is_vector = Rcpp::as<bool>(entry["vector"]);
    text.is_utf8 = Rcpp::as<bool>(entry["utf8"]);
    result.push_back(text);
  }
  return result;
}

// The inverse of node_to_r(), where a dataset is the tensor or variable itself.
H5Content content_from_r(const std::string& name, SEXP x, int depth) {
  if (depth > 60) fail("config", "a model that is nested so deeply cannot be saved");
  H5Content content;
  content.name = name;
  if (TYPEOF(x) != VECSXP) {
    content.is_group = false;
    content.numbers = view_of(x);
    return content;
  }
  const Rcpp::List node(x), members = node["members"];
  content.attributes = attributes_from_r(node["attributes"]);
  if (members.size() == 0) return content;
  const Rcpp::CharacterVector names = members.names();
  for (R_xlen_t k = 0; k < members.size(); ++k)
    content.members.push_back(content_from_r(utf8_text(STRING_ELT(names, k)), members[k], depth + 1));
  return content;
}

}  // namespace

}  // namespace birnn

using namespace birnn;

// [[Rcpp::export(rng = false)]]
SEXP r_read_file(const std::string& path) {
  return guarded([&]() -> SEXP {
    FileReader file(path);
    Rcpp::RawVector raw = new_raw(file.size());
    file.read(raw.begin());
    return raw;
  });
}

// [[Rcpp::export(rng = false)]]
void r_replace_file(const std::string& path, const Rcpp::RawVector& content) {
  guarded([&] { replace_file(path, bytes_view(content)); });
}

// For tests: see format_file.h.
// [[Rcpp::export(rng = false)]]
int r_file_fault(int n, int error, bool partly) { return set_file_fault(n, error, partly); }

// The members of an archive among `names`, as a named list of raw vectors.
// [[Rcpp::export(rng = false)]]
Rcpp::List r_zip_read(const Rcpp::RawVector& archive, const std::vector<std::string>& names) {
  return guarded([&]() -> Rcpp::List {
    Rcpp::List result;
    for (const ZipMember& member : zip_members(bytes_view(archive))) {
      if (std::find(names.begin(), names.end(), member.name) == names.end()) continue;
      Rcpp::RawVector content = new_raw(member.size);
      zip_extract(member, content.begin());
      result[member.name] = content;
    }
    return result;
  });
}

// [[Rcpp::export(rng = false)]]
SEXP r_zip_write(const std::vector<std::string>& names, const Rcpp::List& contents) {
  return guarded([&]() -> SEXP {
    std::vector<ByteSpan> parts;
    for (R_xlen_t k = 0; k < contents.size(); ++k) {
      const SEXP content = contents[k];
      parts.emplace_back(RAW(content), static_cast<uint64_t>(Rf_xlength(content)));
    }
    return to_raw(zip_archive(names, parts));
  });
}

// [[Rcpp::export(rng = false)]]
SEXP r_json_read(const Rcpp::RawVector& text) {
  return guarded([&]() -> SEXP { return json_to_r(parse_json(bytes_view(text))); });
}

// [[Rcpp::export(rng = false)]]
SEXP r_json_write(SEXP x) {
  return guarded([&]() -> SEXP { return to_texts({write_json(json_from_r(x, 0))}); });
}

// A checksum of the numbers of a tensor, to tell whether two are the same.
// [[Rcpp::export(rng = false)]]
double r_tensor_checksum(SEXP tensor) {
  return guarded([&]() -> double {
    const View numbers = view_of(tensor);
    return crc32(static_cast<const uint8_t*>(numbers.data), static_cast<uint64_t>(numbers.meta.bytes()));
  });
}

// list(file, root): the tree of groups and datasets, and the file that r_hdf5_numbers() wants.
// [[Rcpp::export(rng = false)]]
Rcpp::List r_hdf5_read(const Rcpp::RawVector& content) {
  return guarded([&]() -> Rcpp::List {
    std::unique_ptr<OpenHdf5> open(new OpenHdf5);
    open->file.reset(new H5File(bytes_view(content)));
    const Rcpp::List root = node_to_r(open->file->root(), *open);
    const Rcpp::XPtr<OpenHdf5> file(open.release(), true, R_NilValue, content);
    return Rcpp::List::create(Rcpp::_["file"] = file, Rcpp::_["root"] = root);
  });
}

// Dataset number `dataset` as a tensor.
// [[Rcpp::export(rng = false)]]
SEXP r_hdf5_numbers(SEXP file, int dataset, const std::string& dtype) {
  return guarded([&]() -> SEXP {
    const Rcpp::XPtr<OpenHdf5> open(file);
    if (dataset < 1 || static_cast<std::size_t>(dataset) > open->datasets.size())
      fail("file", "there is no such dataset");
    const H5Dataset& data = *open->datasets[static_cast<std::size_t>(dataset - 1)];
    Meta meta;
    meta.dtype = dtype_from_name(dtype);
    for (const uint64_t size : data.dims) meta.shape.push(static_cast<std::int64_t>(size));
    const Rcpp::Shield<SEXP> tensor(new_tensor(meta));
    read_numbers(data, meta.dtype, RAW(bytes_of(tensor)));
    return tensor;
  });
}

// [[Rcpp::export(rng = false)]]
SEXP r_hdf5_write(const Rcpp::List& root) {
  return guarded([&]() -> SEXP { return to_raw(write_hdf5(content_from_r("", root, 0))); });
}

// A list of integer vectors: the array of objects in a pickle, from byte `start` on (counted from 0).
// [[Rcpp::export(rng = false)]]
Rcpp::List r_pickle_read(const Rcpp::RawVector& content, int start) {
  return guarded([&]() -> Rcpp::List {
    const ByteSpan bytes = bytes_view(content);
    const uint64_t first = static_cast<uint64_t>(start);
    if (first > bytes.size()) fail("file", "there is no pickle");
    const auto lists = pickled_integer_lists(bytes.part(first, bytes.size() - first, "the pickle"));
    Rcpp::List result(static_cast<R_xlen_t>(lists.size()));
    for (std::size_t k = 0; k < lists.size(); ++k)
      result[static_cast<R_xlen_t>(k)] = Rcpp::IntegerVector(lists[k].begin(), lists[k].end());
    return result;
  });
}

// [[Rcpp::export(rng = false)]]
std::string r_sha256(const Rcpp::RawVector& content) {
  return guarded([&] { return sha256(bytes_view(content)); });
}
