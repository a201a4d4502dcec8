// One digit, prepared the way MNIST was prepared: `helpers.reading.ink` and
// `helpers.reading.preparation`, step by step, in plain JavaScript. The comments there say why.
//
// A picture is its height, its width and one Float32Array of values, row by row. Grey goes from 0
// black to 1 white, ink from 0 paper to 1 ink.

const DigitPreparation = (() => {
  const LEAST_CONTRAST = 0.08;
  const LEAST_SIGNAL_TO_NOISE = 5;
  const STRONGEST = 0.998;
  const LEAST_SKEWNESS = 0.5;
  const EVEN_LIGHT = 0.06;
  const NEIGHBOURHOODS = [0.06, 0.12, 0.25];
  const LEAST_RELATIVE_WIDTH = 0.4;
  const [SPECK_AREA, SPECK_LENGTH] = [0.03, 0.12];
  const TABLE_EDGE = 8;
  const LONGEST_CONTACT = 3;
  const LEAST_STROKE_WIDTH = 2;
  const [BOX, SIZE] = [20, 28];

  // --- small tools ----------------------------------------------------------------------------

  const picture = (height, width, values) => ({
    height, width, values: values || new Float32Array(height * width),
  });
  // Plain loops, since a browser takes several times as long for `map` and `reduce`.
  function mapped(p, change) {
    const changed = picture(p.height, p.width);
    for (let i = 0; i < changed.values.length; i++) changed.values[i] = change(p.values[i], i);
    return changed;
  }

  function total(values, term = (x) => x) {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += term(values[i], i);
    return sum;
  }

  const clip = (x, low, high) => Math.min(Math.max(x, low), high);

  function extremes(values) {
    let [low, high] = [Infinity, -Infinity];
    for (let i = 0; i < values.length; i++) {
      if (values[i] < low) low = values[i];
      if (values[i] > high) high = values[i];
    }
    return [low, high];
  }

  // The value below which a share of the values lies. Of many values, it is found in a histogram,
  // to a 65,536th of their range, which is faster than sorting them.
  function percentile(values, share) {
    const place = share * (values.length - 1);
    if (values.length < 1000) {
      const sorted = Float32Array.from(values).sort();
      const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
      return below + (place % 1) * (above - below);
    }
    const [low, high] = extremes(values);
    const scale = 65535 / (high - low || 1);
    const counts = new Uint32Array(65536);
    for (let i = 0; i < values.length; i++) counts[((values[i] - low) * scale + 0.5) | 0]++;
    let bin = 0;
    for (let seen = counts[0]; seen <= place; seen += counts[bin]) bin++;
    return low + bin / scale;
  }

  const median = (values) => percentile(values, 0.5);

  // The level that parts the values into two groups, each as alike as possible.
  function otsuThreshold(values) {
    const BINS = 256;
    const [low, high] = extremes(values);
    if (low === high) return low;
    const counts = new Float64Array(BINS);
    const scale = BINS / (high - low);
    for (let i = 0; i < values.length; i++) {
      counts[Math.min(((values[i] - low) * scale) | 0, BINS - 1)]++;
    }
    const centre = (bin) => low + ((bin + 0.5) * (high - low)) / BINS;
    const all = counts.reduce((sum, count, bin) => sum + count * centre(bin), 0);
    let [below, sumBelow, best, threshold] = [0, 0, -1, low];
    for (let bin = 0; bin < BINS - 1; bin++) {
      below += counts[bin];
      sumBelow += counts[bin] * centre(bin);
      const above = values.length - below;
      if (!below || !above) continue;
      const variance = below * above * (sumBelow / below - (all - sumBelow) / above) ** 2;
      if (variance > best) [best, threshold] = [variance, centre(bin)];
    }
    return threshold;
  }

  // Apply `combine` to each row, then to each column; both are lines of values.
  function alongBothAxes(p, combine) {
    const transposed = (q) => {
      const turned = picture(q.width, q.height);
      for (let y = 0; y < q.height; y++) {
        for (let x = 0; x < q.width; x++) turned.values[x * q.height + y] = q.values[y * q.width + x];
      }
      return turned;
    };
    const alongRows = (q) => {
      const lines = [];
      for (let y = 0; y < q.height; y++) {
        lines.push(combine(q.values.subarray(y * q.width, (y + 1) * q.width), q === p));
      }
      const done = picture(q.height, lines[0].length);
      lines.forEach((line, y) => done.values.set(line, y * done.width));
      return done;
    };
    return transposed(alongRows(transposed(alongRows(p))));
  }

  // Where a line ends, it is read backwards: with its last value twice ("reflect") or once.
  function inside(place, length, isTwice) {
    if (length === 1) return 0;
    const period = isTwice ? 2 * length : 2 * length - 2;
    const folded = ((place % period) + period) % period;
    return folded < length ? folded : (isTwice ? period - 1 : period) - folded;
  }

  function blurredLine(line, sigma, isTwice) {
    if (sigma <= 0) return line;
    const radius = Math.floor(4 * sigma + 0.5);
    const weights = [];
    for (let i = -radius; i <= radius; i++) weights.push(Math.exp((-0.5 * i * i) / (sigma * sigma)));
    const sum = weights.reduce((a, b) => a + b);
    const longer = new Float32Array(line.length + 2 * radius);
    longer.set(line, radius);
    for (let i = 0; i < radius; i++) {
      longer[i] = line[inside(i - radius, line.length, isTwice)];
      longer[radius + line.length + i] = line[inside(line.length + i, line.length, isTwice)];
    }
    const blurred = new Float32Array(line.length);
    for (let x = 0; x < line.length; x++) {
      let value = 0;
      for (let i = 0; i < weights.length; i++) value += weights[i] * longer[x + i];
      blurred[x] = value / sum;
    }
    return blurred;
  }

  // The greatest or least value within `radius` of each place of a line.
  function extremeLine(line, radius, better) {
    return Float32Array.from(line, (_, x) => {
      let best = line[x];
      const end = Math.min(x + radius, line.length - 1);
      for (let i = Math.max(x - radius, 0); i <= end; i++) best = better(best, line[i]);
      return best;
    });
  }

  // --- strokes and their components -----------------------------------------------------------

  // A number for each connected component, corners included; 0 is paper.
  function labelled(marked) {
    const { height, width } = marked;
    const labels = new Int32Array(height * width);
    let count = 0;
    for (let start = 0; start < labels.length; start++) {
      if (!marked.values[start] || labels[start]) continue;
      const waiting = [start];
      labels[start] = ++count;
      while (waiting.length) {
        const place = waiting.pop();
        const [y, x] = [Math.floor(place / width), place % width];
        for (let row = Math.max(y - 1, 0); row <= Math.min(y + 1, height - 1); row++) {
          for (let column = Math.max(x - 1, 0); column <= Math.min(x + 1, width - 1); column++) {
            const next = row * width + column;
            if (marked.values[next] && !labels[next]) {
              labels[next] = count;
              waiting.push(next);
            }
          }
        }
      }
    }
    return { labels, count };
  }

  // Area, width, length and contact with the rim of each component; number 0 is the paper.
  function measured(marked) {
    const { height, width, values } = marked;
    const { labels, count } = labelled(marked);
    const parts = Array.from({ length: count + 1 }, () => ({
      area: 0, outline: 0, top: height, bottom: -1, left: width, right: -1, sides: [0, 0, 0, 0],
    }));
    for (let place = 0; place < labels.length; place++) {
      if (!labels[place]) continue;
      const part = parts[labels[place]];
      const x = place % width;
      const y = (place - x) / width;
      part.area++;
      if (y === 0) part.sides[0]++;
      if (y === height - 1) part.sides[1]++;
      if (x === 0) part.sides[2]++;
      if (x === width - 1) part.sides[3]++;
      const isInner = x > 0 && x < width - 1 && values[place - 1] && values[place + 1] &&
        values[place - width] && values[place + width]; // above the first row lies nothing
      if (!isInner) part.outline++;
      part.top = Math.min(part.top, y);
      part.bottom = Math.max(part.bottom, y);
      part.left = Math.min(part.left, x);
      part.right = Math.max(part.right, x);
    }
    for (const part of parts) {
      part.width = (2 * part.area) / Math.max(part.outline, 1);
      part.length = Math.max(part.bottom - part.top, part.right - part.left) + 1;
      part.contact = Math.max(...part.sides);
    }
    return { labels, parts: parts.slice(1) };
  }

  // The median width of the components that are not small.
  function strokeWidth(parts) {
    const largest = Math.max(0, ...parts.map((part) => part.area));
    const widths = parts
      .filter((part) => part.area >= Math.max(0.1 * largest, 12))
      .map((part) => part.width);
    return widths.length ? median(widths) : 0;
  }

  // What is not part of a digit: the table beneath the sheet, the edge of a sheet, dust.
  const judges = [
    (parts) => {
      const width = strokeWidth(parts.filter((part) => !part.contact)) || strokeWidth(parts);
      return (part) => part.contact > LONGEST_CONTACT * width;
    },
    (parts) => {
      const width = strokeWidth(parts);
      return (part) => part.width < LEAST_RELATIVE_WIDTH * width;
    },
    (parts) => {
      const area = Math.max(...parts.map((part) => part.area));
      const length = Math.max(...parts.map((part) => part.length));
      return (part) => part.area < SPECK_AREA * area || part.length < SPECK_LENGTH * length;
    },
  ];

  // Half way from paper to strokes.
  function strokeThreshold(values) {
    const otsu = otsuThreshold(values);
    const area = total(values, (x) => (x > otsu ? 1 : 0));
    const stroke = total(values, (x) => (x > otsu ? x : 0)) / area;
    const paper = total(values, (x) => (x > otsu ? 0 : x)) / (values.length - area);
    return (stroke + paper) / 2;
  }

  function standsOut(values) {
    const level = median(values);
    const grain = 1.48 * median(values.map((x) => Math.abs(x - level)));
    const contrast = percentile(values, STRONGEST) - level;
    return contrast >= Math.max(LEAST_CONTRAST, LEAST_SIGNAL_TO_NOISE * grain);
  }

  // What is darker than half way from paper to strokes, where there is a table, beside it.
  function markedBesideTheTable(ink) {
    const threshold = strokeThreshold(ink.values);
    const marked = mapped(ink, (x) => x > threshold);
    const found = { marked, ...measured(marked) };
    const { labels, parts } = found;
    const isTable = parts.map(judges[0](parts));
    if (!isTable.includes(true)) return found;
    const table = mapped(ink, (_, place) => (isTable[labels[place] - 1] ? 1 : 0));
    const around = alongBothAxes(table, (line) => extremeLine(line, TABLE_EDGE, Math.max)).values;
    const sheet = ink.values.filter((_, place) => !around[place]);
    if (!sheet.length || !standsOut(sheet)) return found;
    const lower = Math.min(threshold, strokeThreshold(sheet));
    const markedAnew = mapped(ink, (x) => x > lower);
    return { marked: markedAnew, ...measured(markedAnew) };
  }

  function findStrokes(ink) {
    let { marked, labels, parts } = markedBesideTheTable(ink);
    for (const judge of judges) {
      const isDropped = parts.map(judge(parts));
      if (isDropped.every(Boolean) || !isDropped.includes(true)) continue;
      marked = mapped(marked, (is, place) => is && !isDropped[labels[place] - 1]);
      ({ labels, parts } = measured(marked));
    }
    return marked;
  }

  // --- from grey to ink -----------------------------------------------------------------------

  function isEvenlyLit(grey, paper) {
    const { height, width, values } = grey;
    const rim = [];
    for (let x = 0; x < width; x++) rim.push(values[x], values[(height - 1) * width + x]);
    for (let y = 0; y < height; y++) rim.push(values[y * width], values[(y + 1) * width - 1]);
    const near = EVEN_LIGHT * Math.max(paper, 0.5);
    return rim.filter((x) => Math.abs(x - paper) < near).length > 0.8 * rim.length;
  }

  const odd = (length) => Math.max(3, Math.round(length) | 1);

  function averagedLine(line, side) {
    const radius = (side - 1) / 2;
    let sum = 0;
    for (let i = -radius; i <= radius; i++) sum += line[inside(i, line.length, true)];
    return Float32Array.from(line, (_, x) => {
      const average = sum / side;
      sum += line[inside(x + radius + 1, line.length, true)];
      sum -= line[inside(x - radius, line.length, true)];
      return average;
    });
  }

  // `level` is the brightness of evenly lit paper, null if the light is uneven.
  function withDarkInk(grey, level) {
    const side = odd(0.2 * Math.max(grey.height, grey.width));
    const light = level === null && alongBothAxes(grey, (line) => averagedLine(line, side)).values;
    const { values: deviation } = mapped(grey, (x, place) => x - (light ? light[place] : level));
    const squares = total(deviation, (x) => x * x) / deviation.length;
    const cubes = total(deviation, (x) => x * x * x) / deviation.length;
    const isDark = cubes / Math.max(squares, 1e-12) ** 1.5 < LEAST_SKEWNESS;
    return isDark ? grey : mapped(grey, (x) => 1 - x);
  }

  function paperBrightness(dark) {
    const small = alongBothAxes(dark, (line) => averagedLine(line, 3));
    let paper = small;
    for (const share of NEIGHBOURHOODS) {
      const near = odd(share * Math.max(small.height, small.width));
      const radius = (near - 1) / 2;
      paper = alongBothAxes(small, (line) => extremeLine(line, radius, Math.max));
      paper = alongBothAxes(paper, (line) => extremeLine(line, radius, Math.min));
      const ink = mapped(small, (x, i) => clip(1 - x / Math.max(paper.values[i], 0.05), 0, 1));
      const least = Math.max(otsuThreshold(ink.values), LEAST_CONTRAST);
      const width = strokeWidth(measured(mapped(ink, (x) => x > least)).parts);
      if (width > 0 && width < near / 3) break;
    }
    return paper;
  }

  // Returns null if nothing stands out from the paper.
  function toInk(grey) {
    const middle = median(grey.values);
    const level = isEvenlyLit(grey, middle) ? middle : null;
    const dark = withDarkInk(grey, level);
    const even = dark === grey ? level : 1 - level;
    const paper = level === null && paperBrightness(dark).values;
    let ink = mapped(dark, (x, place) => 1 - x / Math.max(paper ? paper[place] : even, 0.05));
    const longest = Math.max(grey.height, grey.width);
    if (longest > 150) ink = alongBothAxes(ink, (line) => blurredLine(line, longest / 600, true));
    const usual = median(ink.values);
    ink = mapped(ink, (x) => x - usual);
    if (!standsOut(ink.values)) return null;
    const strongest = percentile(ink.values, STRONGEST);
    return mapped(ink, (x) => clip(x / strongest, 0, 1));
  }

  // --- from ink to 28 × 28 --------------------------------------------------------------------

  function cleanInk(ink, strokes) {
    const { width, height } = ink;
    const near = (p) => {
      const larger = picture(height, width, p.values.slice());
      for (let place = 0; place < p.values.length; place++) {
        if (!p.values[place]) continue;
        const x = place % width;
        if (x > 0) larger.values[place - 1] = 1;
        if (x < width - 1) larger.values[place + 1] = 1;
        if (place >= width) larger.values[place - width] = 1;
        if (place < width * (height - 1)) larger.values[place + width] = 1;
      }
      return larger;
    };
    const edges = near(near(strokes));
    const paper = otsuThreshold(ink.values) / 2;
    const full = median(ink.values.filter((_, place) => strokes.values[place]));
    const range = Math.max(full - paper, 1e-6);
    return mapped(ink, (x, place) => (edges.values[place] ? clip((x - paper) / range, 0, 1) : 0));
  }

  function cropToInk(ink) {
    let [top, bottom, left, right] = [ink.height, -1, ink.width, -1];
    for (let place = 0; place < ink.values.length; place++) {
      if (ink.values[place] <= 0) continue;
      const [y, x] = [Math.floor(place / ink.width), place % ink.width];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      [left, right] = [Math.min(left, x), Math.max(right, x)];
    }
    const cropped = picture(bottom - top + 1, right - left + 1);
    for (let y = top; y <= bottom; y++) {
      const from = y * ink.width;
      cropped.values.set(ink.values.subarray(from + left, from + right + 1), (y - top) * cropped.width);
    }
    return cropped;
  }

  function padded(p, rim) {
    const larger = picture(p.height + 2 * rim, p.width + 2 * rim);
    for (let y = 0; y < p.height; y++) {
      const row = p.values.subarray(y * p.width, (y + 1) * p.width);
      larger.values.set(row, (y + rim) * larger.width + rim);
    }
    return larger;
  }

  // Whether a pixel of the skeleton may go, for each of the 256 ways to fill its eight neighbours,
  // clockwise from the north, once for each of two sides.
  const isPeeled = [false, true].map((isSecond) =>
    Array.from({ length: 256 }, (_, code) => {
      const n = Array.from({ length: 8 }, (_, bit) => (code >> bit) & 1);
      const count = n.reduce((a, b) => a + b);
      if (count < 2 || count > 6) return false;
      if (n.filter((is, bit) => !is && n[(bit + 1) % 8]).length !== 1) return false;
      return isSecond
        ? !(n[0] && n[2] && n[6]) && !(n[0] && n[4] && n[6])
        : !(n[0] && n[2] && n[4]) && !(n[2] && n[4] && n[6]);
    })
  );

  // Whether a pixel is the inner corner of a step: two neighbours meet at it, which touch without it.
  const isStep = Array.from({ length: 256 }, (_, code) =>
    [0, 2, 4, 6].some((first) => {
      const n = (turn) => (code >> ((first + turn) % 8)) & 1;
      return n(0) && n(2) && !n(4) && !n(5) && !n(6);
    })
  );

  // Zhang and Suen, 1984: peel the strokes, by turns from two sides, down to lines of one pixel.
  function skeletonLength(marked) {
    const p = padded(marked, 1);
    const w = p.width;
    const around = [-w, -w + 1, 1, w + 1, w, w - 1, -1, -w - 1];
    let places = [];
    p.values.forEach((is, place) => is && places.push(place));
    const neighbours = (place) => {
      let code = 0;
      for (let bit = 0; bit < 8; bit++) code |= p.values[place + around[bit]] << bit;
      return code;
    };
    for (let isChanging = true; isChanging; ) {
      isChanging = false;
      for (const table of isPeeled) {
        const peeled = places.filter((place) => table[neighbours(place)]);
        for (const place of peeled) p.values[place] = 0;
        places = places.filter((place) => p.values[place]);
        isChanging = isChanging || peeled.length > 0;
      }
    }
    for (const place of places) if (isStep[neighbours(place)]) p.values[place] = 0;
    return total(p.values);
  }

  // The helpers first reduce digits of more than 400 pixels; the pad has none.
  function thickenStrokes(ink) {
    const strokes = mapped(ink, (x) => x > 0.5);
    const length = skeletonLength(strokes);
    if (!length) return ink;
    const width = total(strokes.values) / length;
    const missing = (LEAST_STROKE_WIDTH * Math.max(ink.height, ink.width)) / BOX - width;
    const radius = Math.round(missing / 2);
    if (radius < 1) return ink;
    const larger = padded(ink, radius);
    const thick = picture(larger.height, larger.width);
    for (let y = 0; y < ink.height; y++) {
      for (let x = 0; x < ink.width; x++) {
        const value = ink.values[y * ink.width + x];
        if (value > 0) stamp(thick, y + radius, x + radius, radius, value);
      }
    }
    return thick;
  }

  function stamp(p, y, x, radius, value) {
    for (let down = -radius; down <= radius; down++) {
      const reach = Math.floor(Math.sqrt(radius * radius - down * down));
      const row = (y + down) * p.width;
      for (let place = row + x - reach; place <= row + x + reach; place++) {
        if (p.values[place] < value) p.values[place] = value;
      }
    }
  }

  // Blur by the factor, then read between the values: the way of scikit-image's `resize`.
  function resizedLine(line, length) {
    const factor = line.length / length;
    const smooth = blurredLine(line, Math.max(0, (factor - 1) / 2), false);
    return Float32Array.from({ length }, (_, x) => {
      const place = (x + 0.5) * factor - 0.5;
      const below = Math.floor(place);
      const [a, b] = [below, below + 1].map((i) => smooth[inside(i, line.length, false)]);
      return a + (place - below) * (b - a);
    });
  }

  function scaleToBox(ink) {
    const scale = BOX / Math.max(ink.height, ink.width);
    const [height, width] = [ink.height, ink.width].map((x) => Math.max(1, Math.round(x * scale)));
    const box = alongBothAxes(ink, (line, isRow) => resizedLine(line, isRow ? width : height));
    const [, darkest] = extremes(box.values);
    return mapped(box, (x) => x / darkest);
  }

  function centreByMass(box) {
    let [mass, down, right] = [0, 0, 0];
    box.values.forEach((x, place) => {
      mass += x;
      down += x * Math.floor(place / box.width);
      right += x * (place % box.width);
    });
    const start = (sum, side) => clip(Math.floor(SIZE / 2 - sum / mass + 0.5), 0, SIZE - side);
    const [top, left] = [start(down, box.height), start(right, box.width)];
    const placed = picture(SIZE, SIZE);
    for (let y = 0; y < box.height; y++) {
      const row = box.values.subarray(y * box.width, (y + 1) * box.width);
      placed.values.set(row, (top + y) * SIZE + left);
    }
    return placed;
  }

  // From the grey of a picture to 784 pixels, 0 to 255, with the steps between; null if there is
  // no digit in it.
  function prepare(grey) {
    const ink = toInk(grey);
    if (!ink) return null;
    const strokes = findStrokes(ink);
    if (!strokes.values.includes(1)) return null;
    const cropped = cropToInk(cleanInk(ink, strokes));
    const thick = thickenStrokes(cropped);
    const placed = centreByMass(scaleToBox(thick));
    return { ink, cropped, thick, pixels: placed.values.map((x) => Math.round(x * 255)) };
  }

  return { prepare, picture };
})();
