// A network of the series, run in plain JavaScript, one image at a time.
//
// A picture on its way through the network is a "map": its height, width and channels, and one
// Float32Array of values, row by row, the channels of a pixel side by side, as in Keras.
// `weights.js` lists the layers of each network, in the order of their computation, and holds their
// weights.

const DigitNetwork = (() => {
  // Sixteen bits to a number: one for the sign, five for the exponent, ten for the fraction.
  function fromHalf(bits) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = (bits & 1023) / 1024;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction) : 2 ** -14 * fraction);
  }

  function decodeWeights(text) {
    const bytes = atob(text);
    const weights = new Float32Array(bytes.length / 2);
    for (let i = 0; i < weights.length; i++) {
      weights[i] = fromHalf(bytes.charCodeAt(2 * i) + 256 * bytes.charCodeAt(2 * i + 1));
    }
    return weights;
  }

  // How many numbers belong to a layer: first its kernel (or factors), then its bias (or shifts).
  function weightCounts(layer) {
    if (layer.kind === "affine") return [layer.count, layer.count];
    if (layer.kind === "dense") return [layer.inputs * layer.outputs, layer.outputs];
    if (layer.kind !== "convolution") return [];
    return [layer.size * layer.size * layer.channels * layer.filters, layer.filters];
  }

  // --- the layers: each takes a map and returns one -------------------------------------------

  const withValues = (map, values) => ({ ...map, values });

  // Every value times a factor plus a shift, one pair for each channel, or one for all of them:
  // scaling and standardising of the pixels, and batch normalisation as it is after training.
  function affine(map, layer, factors, shifts) {
    const count = layer.count;
    return withValues(map, map.values.map((x, i) => x * factors[i % count] + shifts[i % count]));
  }

  // A window slides over the map. At each place, every filter adds up its weights times the values
  // in the window. "same" adds a rim of zeros, so that the map keeps its size.
  function convolution(map, layer, kernel, bias) {
    const { size, channels, filters } = layer;
    const rim = layer.padding === "same" ? (size - 1) >> 1 : 0;
    const lost = layer.padding === "same" ? 0 : size - 1;
    const [height, width] = [map.height - lost, map.width - lost];
    const values = new Float32Array(height * width * filters);
    const sums = new Float32Array(filters);
    for (let y = 0, place = 0; y < height; y++) {
      for (let x = 0; x < width; x++, place += filters) {
        sums.set(bias);
        for (let down = 0; down < size; down++) {
          const row = y + down - rim;
          if (row < 0 || row >= map.height) continue;
          for (let right = 0; right < size; right++) {
            const column = x + right - rim;
            if (column < 0 || column >= map.width) continue;
            const pixel = (row * map.width + column) * channels;
            let weight = (down * size + right) * channels * filters;
            for (let channel = 0; channel < channels; channel++, weight += filters) {
              const value = map.values[pixel + channel];
              if (value === 0) continue; // after ReLU, that is often so
              for (let f = 0; f < filters; f++) sums[f] += value * kernel[weight + f];
            }
          }
        }
        values.set(sums, place);
      }
    }
    return { height, width, channels: filters, values };
  }

  // The greatest of each square of values, for each channel by itself.
  function pooling(map, layer) {
    const [height, width] = [map.height, map.width].map((side) => Math.floor(side / layer.size));
    const values = new Float32Array(height * width * map.channels).fill(-Infinity);
    for (let y = 0; y < height * layer.size; y++) {
      for (let x = 0; x < width * layer.size; x++) {
        const from = (y * map.width + x) * map.channels;
        const to = (Math.floor(y / layer.size) * width + Math.floor(x / layer.size)) * map.channels;
        for (let channel = 0; channel < map.channels; channel++) {
          values[to + channel] = Math.max(values[to + channel], map.values[from + channel]);
        }
      }
    }
    return { height, width, channels: map.channels, values };
  }

  // A list of values instead of a picture; they lie in that order already.
  const flatten = (map) => ({ ...map, height: 1, width: 1, channels: map.values.length });

  // Every output adds up all inputs, each times a weight of its own.
  function dense(map, layer, kernel, bias) {
    const values = Float32Array.from(bias);
    map.values.forEach((value, i) => {
      for (let o = 0; o < layer.outputs; o++) values[o] += value * kernel[i * layer.outputs + o];
    });
    return { height: 1, width: 1, channels: layer.outputs, values };
  }

  const relu = (map) => withValues(map, map.values.map((x) => Math.max(x, 0)));
  const linear = (map) => map;

  // Powers of e, divided by their sum: ten probabilities. Less the greatest, none is too large.
  function softmax(map) {
    const greatest = Math.max(...map.values);
    const powers = map.values.map((x) => Math.exp(x - greatest));
    const sum = powers.reduce((total, power) => total + power, 0);
    return withValues(map, powers.map((power) => power / sum));
  }

  // From 0 to 1: how much a single value speaks for it.
  const sigmoid = (map) => withValues(map, map.values.map((x) => 1 / (1 + Math.exp(-x))));

  const LAYERS = { affine, convolution, pooling, flatten, dense, relu, linear, softmax, sigmoid };

  // --- the network ----------------------------------------------------------------------------

  // Returns a function from a map to the maps after each layer.
  function chain(network) {
    const weights = decodeWeights(network.weights);
    let used = 0;
    const steps = network.layers.map((layer) => {
      const parts = weightCounts(layer).map((count) => weights.slice(used, (used += count)));
      const activate = LAYERS[layer.activation || "linear"];
      return (map) => activate(LAYERS[layer.kind](map, layer, ...parts));
    });
    return (map) => steps.map((step) => (map = step(map)));
  }

  const list = (values) => ({ height: 1, width: 1, channels: values.length, values });

  // Returns a function from 784 pixels, 0 to 255, to ten probabilities and, from 0 to 1, how much the
  // picture is like a digit at all. A head says that: it sees the last feature map, flattened, and
  // the logarithms of the probabilities. To a network without one, everything is like a digit.
  function load(network) {
    const run = chain(network);
    const head = network.head && chain(network.head);
    const flattened = network.layers.findIndex((layer) => layer.kind === "flatten");
    return (pixels) => {
      const maps = run({ height: 28, width: 28, channels: 1, values: Float32Array.from(pixels) });
      const probabilities = maps[maps.length - 1].values;
      if (!head) return { probabilities, likeness: 1 };
      const logarithms = probabilities.map((p) => Math.log(p + network.head.leastProbability));
      const seen = Float32Array.of(...maps[flattened].values, ...logarithms);
      return { probabilities, likeness: head(list(seen)).pop().values[0] };
    };
  }

  return { load };
})();
