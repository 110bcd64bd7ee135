// Directions and shards side by side on the threads of the pool, and the merge of the directions (level L2).
#include "bidirectional.h"

#include "kernel_isa.h"
#include "parallel.h"

namespace birnn {
namespace {

template <typename T>
using BytesOf = std::size_t (*RecurrentFunctions<T>::*)(const Direction<T>&);

// A block of memory for each direction.
template <typename T>
struct DirectionBlocks {
  void* of[max_directions] = {};
  DirectionBlocks(Workspace& space, const RecurrentLayer<T>& layer, BytesOf<T> bytes) {
    for (int d = 0; d < layer.directions; ++d)
      of[d] = space.take<char>({static_cast<int64>((layer.cell[d]->functions(T()).*bytes)(layer.direction[d]))});
  }
};

// The outputs of both directions before their merge, or the gradients of these.
template <typename T>
struct Halves {
  T* of[max_directions] = {};
  Halves(Workspace& space, const RecurrentLayer<T>& layer, bool taken) {
    for (int d = 0; taken && d < max_directions; ++d)
      of[d] = space.take<T>({layer.output_rows(), layer.direction[d].units});
  }
};

// The gradient of a product needs its factors: they are saved. Other modes write the halves to scratch or into the
// output itself.
template <typename T>
struct LayerSaved {
  DirectionBlocks<T> blocks;
  Halves<T> halves;
  LayerSaved(Workspace space, const RecurrentLayer<T>& layer, std::size_t* used = nullptr)
      : blocks(space, layer, &RecurrentFunctions<T>::saved_bytes), halves(space, layer, layer.merge == MergeMode::mul) {
    if (used != nullptr) *used = space.used();
  }
};

// Packed weights, if they are to be kept.
template <typename T>
struct LayerPrepared {
  DirectionBlocks<T> blocks;
  LayerPrepared(Workspace space, const RecurrentLayer<T>& layer, std::size_t* used = nullptr)
      : blocks(space, layer, &RecurrentFunctions<T>::prepared_bytes) {
    if (used != nullptr) *used = space.used();
  }
};

template <typename T>
struct ForwardScratch {
  DirectionBlocks<T> blocks;
  Halves<T> halves;
  ForwardScratch(Workspace space, const RecurrentLayer<T>& layer, std::size_t* used = nullptr)
      : blocks(space, layer, &RecurrentFunctions<T>::forward_bytes), halves(space, layer, is_elementwise(layer.merge)) {
    if (used != nullptr) *used = space.used();
  }
};

template <typename T>
struct BackwardScratch {
  DirectionBlocks<T> blocks;
  Halves<T> halves;
  T* dx = nullptr;  // (B, T, F) from direction 1, which runs beside direction 0
  BackwardScratch(Workspace space, const RecurrentLayer<T>& layer, std::size_t* used = nullptr)
      : blocks(space, layer, &RecurrentFunctions<T>::backward_bytes),
        halves(space, layer, is_elementwise(layer.merge)) {
    const Direction<T>& d = layer.direction[0];
    if (layer.directions == 2) dx = space.take<T>({d.batch, d.time, d.features});
    if (used != nullptr) *used = space.used();
  }
};

// Products of one gate, in all steps of all directions.
template <typename T>
double work_of(const RecurrentLayer<T>& layer) {
  const Direction<T>& d = layer.direction[0];
  return static_cast<double>(layer.directions) * d.batch * d.time * d.units * (d.features + d.units);
}

// fn(direction, shard) for all of them, the directions of a shard next to each other.
template <typename T, typename F>
void for_each_shard(const RecurrentLayer<T>& layer, F&& fn) {
  parallel_invoke(layer.directions * shard_count(layer.direction[0].batch), work_of(layer),
                  [&](int item) { fn(item % layer.directions, item / layer.directions); });
}

template <typename T, typename F>
void for_each_direction(const RecurrentLayer<T>& layer, F&& fn) {
  parallel_invoke(layer.directions, work_of(layer), fn);
}

// Where direction d finds its part of the outputs y or of their gradients.
template <typename T>
OutputRows<T> rows_of(const MergeShape& shape, int d, T* const* y, T* const* halves) {
  const int64 units = d == 0 ? shape.f_units : shape.b_units;
  if (shape.mode == MergeMode::none) return {y[d], units};
  if (is_elementwise(shape.mode)) return {halves[d], units};
  if (y[0] == nullptr) return {};
  return {y[0] + (d == 0 ? 0 : shape.f_units), shape.f_units + shape.b_units};
}

template <typename T>
BackwardTask<T> backward_task(const LayerBackward<T>& call, const BackwardScratch<T>& scratch, void* saved, int d) {
  BackwardTask<T> task;
  std::copy(call.dstate[d], call.dstate[d] + max_states, task.dstate);
  std::copy(call.dinitial[d], call.dinitial[d] + max_states, task.dinitial);
  task.dx = d == 0 || call.dx.data == nullptr ? call.dx : Target<T>{scratch.dx, false};
  task.dkernel = call.dkernel[d];
  task.drecurrent_kernel = call.drecurrent_kernel[d];
  task.dbias = call.dbias[d];
  task.saved = saved;
  task.scratch = scratch.blocks.of[d];
  return task;
}

}  // namespace

template <typename T>
LayerSizes layer_sizes(const RecurrentLayer<T>& layer) {
  LayerSizes sizes;
  LayerSaved<T>(Workspace(nullptr), layer, &sizes.saved);
  ForwardScratch<T>(Workspace(nullptr), layer, &sizes.forward_scratch);
  BackwardScratch<T>(Workspace(nullptr), layer, &sizes.backward_scratch);
  LayerPrepared<T>(Workspace(nullptr), layer, &sizes.prepared);
  return sizes;
}

template <typename T>
void forward(const RecurrentLayer<T>& layer, const LayerForward<T>& call) {
  const MergeShape shape = layer.merge_shape();
  const ForwardScratch<T> scratch(Workspace(call.scratch), layer);
  const LayerSaved<T> saved(Workspace(call.saved), layer);
  const LayerPrepared<T> prepared(Workspace(call.prepared), layer);
  const bool saves_halves = saved.halves.of[0] != nullptr;
  T* const* const halves = saves_halves ? saved.halves.of : scratch.halves.of;
  ForwardTask<T> tasks[max_directions];
  for (int d = 0; d < layer.directions; ++d) {
    tasks[d].y = rows_of<T>(shape, d, call.y, halves);
    std::copy(call.state[d], call.state[d] + max_states, tasks[d].state);
    tasks[d].saved = saved.blocks.of[d];
    tasks[d].scratch = scratch.blocks.of[d];
    tasks[d].prepared = prepared.blocks.of[d];
  }
  if (!call.is_prepared)
    for_each_direction(layer,
                       [&](int d) { layer.cell[d]->functions(T()).prepare_forward(layer.direction[d], tasks[d]); });
  for_each_shard(layer,
                 [&](int d, int shard) { layer.cell[d]->functions(T()).forward(layer.direction[d], tasks[d], shard); });
  if (is_elementwise(shape.mode)) merge_values(shape, halves[0], halves[1], call.y[0]);
}

template <typename T>
void backward(const RecurrentLayer<T>& layer, const LayerBackward<T>& call) {
  const MergeShape shape = layer.merge_shape();
  const BackwardScratch<T> scratch(Workspace(call.scratch), layer);
  const LayerSaved<T> saved(Workspace(call.saved), layer);
  const T* halves[max_directions] = {};
  BackwardTask<T> tasks[max_directions];
  for (int d = 0; d < layer.directions; ++d) {
    if (is_elementwise(shape.mode) && call.dy[0] != nullptr) {
      merge_gradient<T>(shape, d == 1, saved.halves.of[1 - d], call.dy[0], false, scratch.halves.of[d]);
      halves[d] = scratch.halves.of[d];
    }
    tasks[d] = backward_task(call, scratch, saved.blocks.of[d], d);
    tasks[d].dy = rows_of<const T>(shape, d, call.dy, halves);
  }
  for_each_direction(layer,
                     [&](int d) { layer.cell[d]->functions(T()).prepare_backward(layer.direction[d], tasks[d]); });
  for_each_shard(
      layer, [&](int d, int shard) { layer.cell[d]->functions(T()).backward(layer.direction[d], tasks[d], shard); });
  for_each_direction(layer,
                     [&](int d) { layer.cell[d]->functions(T()).finish_backward(layer.direction[d], tasks[d]); });
  if (layer.directions < 2 || call.dx.data == nullptr) return;
  const Direction<T>& d = layer.direction[0];
  const int64 count = d.batch * d.time * d.features;
  tier().arrays->of<T>().add(static_cast<long>(count), scratch.dx, call.dx.data);
}

template LayerSizes layer_sizes(const RecurrentLayer<float>&);
template LayerSizes layer_sizes(const RecurrentLayer<double>&);
template void forward(const RecurrentLayer<float>&, const LayerForward<float>&);
template void forward(const RecurrentLayer<double>&, const LayerForward<double>&);
template void backward(const RecurrentLayer<float>&, const LayerBackward<float>&);
template void backward(const RecurrentLayer<double>&, const LayerBackward<double>&);

}  // namespace birnn
