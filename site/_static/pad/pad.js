// A pad that reads a digit while it is drawn. One script shows it on any page, where it stands:
//
//     <script src="…/pad.js"></script>
//
// It loads its neighbours by itself, from its own folder and from nowhere else.

(() => {
  const FOLDER = document.currentScript.src.replace(/[^/]*$/, "");
  const PARTS = ["network.js", "preparation.js", "weights.js"];
  const SIDE = 280; // pixels of the pad, ten for each of the network's
  const LONGEST_SIDE = 500; // pixels of a photo
  const INVITATION = "Draw a digit.";

  function load(name) {
    return new Promise((done, failed) => {
      const script = document.createElement("script");
      Object.assign(script, { src: FOLDER + name, onload: done, onerror: failed });
      document.head.append(script);
    });
  }

  // Each part once, however many pads a page has.
  let loading = null;
  const loadParts = () => (loading = loading || Promise.all(PARTS.map(load)));

  const PAGE = `
    <style>
      :host { display: block; color: inherit; font: 16px/1.4 system-ui, sans-serif; }
      .pad { display: flex; flex-wrap: wrap; gap: 24px; }
      .left { width: ${SIDE + 2}px; max-width: 100%; }
      canvas.paper { width: 100%; box-sizing: border-box; border: 1px solid #767676;
        background: white; touch-action: none; cursor: crosshair; }
      .row { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin-top: 8px; }
      label.row { flex-wrap: nowrap; }
      .row input[type=range] { flex: 1; min-width: 100px; accent-color: #0173b2; }
      button, .file { font: inherit; color: inherit; background: transparent; padding: 4px 12px;
        border: 1px solid #767676; border-radius: 4px; cursor: pointer; }
      button:focus-visible, input:focus-visible, .file:focus-within {
        outline: 3px solid #0173b2; outline-offset: 2px; }
      .file input { position: absolute; opacity: 0; width: 1px; height: 1px; }
      .answer { min-height: 56px; line-height: 56px; white-space: nowrap; }
      .answer b { font-size: 48px; }
      table { border-collapse: collapse; line-height: 16px; }
      td, th { padding: 0 4px; font-weight: normal; text-align: right; }
      td.bar { width: 140px; text-align: left; }
      td.bar div { background: #2b86c5; height: 12px; width: 0; }
      figure { margin: 8px 0 0; display: inline-block; font-size: 14px; }
      figure canvas { display: block; height: 112px; image-rendering: pixelated;
        border: 1px solid #767676; }
      .steps { display: flex; flex-wrap: wrap; gap: 12px; }
      .is-over { outline: 3px dashed #0173b2; }
      .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden;
        clip-path: inset(50%); white-space: nowrap; }
    </style>
    <div class="pad">
      <div class="left">
        <canvas class="paper" width="${SIDE}" height="${SIDE}" role="img"
          aria-label="Paper to draw a digit on, with mouse, pen or finger"></canvas>
        <label class="row">brush <input type="range" min="4" max="44" value="20"></label>
        <div class="row">
          <button type="button" data-do="clear">Clear</button>
          <button type="button" data-do="undo">Undo</button>
          <label class="file">Photo … <input type="file" accept="image/*"></label>
        </div>
        <label class="row"><input type="checkbox" name="squeeze"><span>squeeze only, as most
          do</span></label>
        <label class="row"><input type="checkbox" name="mnistOnly"><span>ask a network that has seen
          only MNIST</span></label>
      </div>
      <div class="right">
        <div class="answer">${INVITATION}</div>
        <table><caption class="hidden">Probability of each digit</caption><tbody></tbody></table>
        <div class="steps"></div>
      </div>
    </div>
    <div class="hidden" role="status" aria-live="polite"></div>`;

  class DigitPad extends HTMLElement {
    connectedCallback() {
      if (this.shadowRoot) return;
      this.attachShadow({ mode: "open" }).innerHTML = PAGE;
      this.find = (selector) => this.shadowRoot.querySelector(selector);
      this.strokes = []; // each with its width and its points, in pixels of the pad
      this.photo = null; // a canvas, instead of strokes
      this.paper = this.find("canvas.paper");
      this.isSqueezed = this.find("[name=squeeze]");
      this.knowsOnlyMnist = this.find("[name=mnistOnly]");
      this.listen();
      this.showBars(new Float32Array(10));
      loadParts().then(
        () => {
          this.networks = {};
          for (const name in digitNetworks) {
            this.networks[name] = DigitNetwork.load(digitNetworks[name]);
          }
          this.read();
          setTimeout(() => this.warmUp());
        },
        () => this.answer(null, "The network could not be loaded.")
      );
    }

    // A browser runs code slowly at first. So it reads something unseen, while nobody waits.
    warmUp() {
      if (this.strokes.length || this.photo) return;
      const unseen = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
      const pen = onWhite(unseen);
      pen.fillStyle = "black";
      pen.fillRect(SIDE / 2, SIDE / 4, 20, SIDE / 2);
      for (let times = 0; times < 3; times++) {
        this.networks.ships(DigitPreparation.prepare(grey(unseen)).pixels);
      }
    }

    // --- hands ----------------------------------------------------------------------------------

    listen() {
      const on = (element, name, action) => element.addEventListener(name, action);
      on(this.paper, "pointerdown", (event) => this.penDown(event));
      on(this.paper, "pointermove", (event) => this.penMove(event));
      for (const name of ["pointerup", "pointercancel"]) on(this.paper, name, () => this.penUp());
      for (const box of [this.isSqueezed, this.knowsOnlyMnist]) {
        on(box, "change", () => this.read());
      }
      on(this.find("[data-do=clear]"), "click", () => this.clear());
      on(this.find("[data-do=undo]"), "click", () => this.undo());
      on(this, "keydown", (event) => this.key(event));
      on(this.find("input[type=file]"), "change", (event) => this.open(event.target.files[0]));
      for (const name of ["dragover", "dragleave", "drop"]) {
        on(this, name, (event) => {
          event.preventDefault();
          this.paper.classList.toggle("is-over", name === "dragover");
          if (name === "drop") this.open(event.dataTransfer.files[0]);
        });
      }
    }

    place(event) {
      const box = this.paper.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top].map((x) => (x * SIDE) / box.width);
    }

    penDown(event) {
      if (event.button) return;
      event.preventDefault();
      if (this.photo) this.clear();
      try {
        this.paper.setPointerCapture(event.pointerId); // the pen may leave the paper
      } catch {
        // A pen that is gone already cannot be held.
      }
      this.isDown = true;
      this.strokes.push({ width: Number(this.find("input[type=range]").value), points: [] });
      this.penMove(event);
    }

    penMove(event) {
      if (!this.isDown) return;
      const moves = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
      for (const move of moves.length ? moves : [event]) {
        this.strokes[this.strokes.length - 1].points.push(this.place(move));
      }
      this.draw();
      this.readSoon();
    }

    penUp() {
      if (!this.isDown) return;
      this.isDown = false;
      this.read();
    }

    key(event) {
      if (event.target.type === "file") return;
      const isUndo = event.key === "z" && (event.ctrlKey || event.metaKey);
      if (isUndo) this.undo();
      else if (event.key === "Escape" || event.key === "Delete") this.clear();
      else return;
      event.preventDefault();
    }

    clear() {
      [this.strokes, this.photo, this.isDown] = [[], null, false];
      this.draw();
      this.read();
    }

    undo() {
      [this.photo, this.isDown] = [null, false];
      this.strokes.pop();
      this.draw();
      this.read();
    }

    async open(file) {
      if (!file) return;
      try {
        const image = await createImageBitmap(file);
        const scale = Math.min(1, LONGEST_SIDE / Math.max(image.width, image.height));
        const [width, height] = [image.width, image.height].map((x) => Math.round(x * scale));
        const photo = Object.assign(document.createElement("canvas"), { width, height });
        onWhite(photo).drawImage(image, 0, 0, width, height);
        [this.strokes, this.photo] = [[], photo];
      } catch {
        return this.answer(null, "This is no picture that the browser can open.");
      }
      this.find("input[type=file]").value = "";
      this.draw();
      this.read();
    }

    // --- paper ----------------------------------------------------------------------------------

    draw() {
      const pen = onWhite(this.paper);
      if (this.photo) {
        const scale = SIDE / Math.max(this.photo.width, this.photo.height);
        return pen.drawImage(this.photo, 0, 0, this.photo.width * scale, this.photo.height * scale);
      }
      pen.lineCap = pen.lineJoin = "round";
      for (const { width, points } of this.strokes) {
        pen.lineWidth = width;
        pen.beginPath();
        pen.moveTo(...points[0]);
        for (const point of points) pen.lineTo(...point);
        pen.stroke();
      }
    }

    // --- the answer -----------------------------------------------------------------------------

    // Once for each picture that the screen shows, however often the pen moves.
    readSoon() {
      if (this.isWaiting) return;
      this.isWaiting = true;
      requestAnimationFrame(() => {
        this.isWaiting = false;
        this.read();
      });
    }

    read() {
      if (!this.networks) return;
      const started = performance.now();
      const isBlank = !this.strokes.length && !this.photo;
      const seen = isBlank ? null : this.look(this.photo || this.paper);
      this.showSteps(seen ? seen.steps : []);
      if (!seen) {
        this.showBars(new Float32Array(10));
        return this.answer(null, isBlank ? INVITATION : "No digit found.");
      }
      const answered = this.networks[this.chosen()](seen.pixels);
      this.showBars(answered.probabilities);
      this.answer(answered);
      this.milliseconds = performance.now() - started;
    }

    chosen() {
      return this.knowsOnlyMnist.checked ? "mnistOnly" : "ships";
    }

    // What the network gets, and the steps to it, each a name and a picture.
    look(canvas) {
      if (this.isSqueezed.checked) {
        const small = squeezed(canvas);
        const pixels = small.values.map((x) => Math.round(x * 255));
        return { pixels, steps: [["what the network sees", small]] };
      }
      const prepared = DigitPreparation.prepare(grey(canvas));
      if (!prepared) return null;
      const { ink, cropped, thick, pixels } = prepared;
      const final = DigitPreparation.picture(28, 28, pixels.map((x) => x / 255));
      const steps = [["what the network sees", final]];
      if (this.photo) steps.unshift(["ink", ink], ["cleaned, cropped", cropped], ["thick enough", thick]);
      return { pixels, steps };
    }

    answer(answered, note) {
      const where = this.find(".answer");
      const { sure, likeADigit } = answered ? digitNetworks[this.chosen()] : {};
      let said = note;
      if (answered && answered.likeness < likeADigit) {
        where.innerHTML = "<b>–</b> no digit";
        said = "no digit";
      } else if (answered) {
        const { probabilities } = answered;
        const best = probabilities.indexOf(Math.max(...probabilities));
        const unsure = probabilities[best] < sure ? ", unsure" : "";
        const share = `${(100 * probabilities[best]).toFixed(1)} %${unsure}`;
        where.innerHTML = `<b>${best}</b> ${share}`;
        said = `${best}${unsure}`;
      } else {
        where.textContent = note;
      }
      this.announce(said);
    }

    // For who listens instead of looking: the answer once the pen rests.
    announce(words) {
      clearTimeout(this.later);
      this.later = setTimeout(() => (this.find("[role=status]").textContent = words), 400);
    }

    showBars(probabilities) {
      const rows = Array.from(probabilities, (probability, digit) => {
        const share = (100 * probability).toFixed(1);
        return `<tr><th scope="row">${digit}</th><td class="bar"><div style="width:${share}%">
          </div></td><td>${share} %</td></tr>`;
      });
      this.find("tbody").innerHTML = rows.join("");
    }

    showSteps(steps) {
      this.find(".steps").replaceChildren(
        ...steps.map(([name, picture]) => {
          const canvas = painted(picture);
          canvas.setAttribute("role", "img");
          canvas.setAttribute("aria-label", name);
          const figure = document.createElement("figure");
          const caption = document.createElement("figcaption");
          caption.textContent = name;
          figure.append(canvas, caption);
          return figure;
        })
      );
    }
  }

  // --- pictures -------------------------------------------------------------------------------

  function onWhite(canvas) {
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.fillStyle = "white";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    return pen;
  }

  // Brightness as a person sees it (ITU-R 601), 0 black to 1 white.
  function grey(canvas) {
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    const values = new Float32Array(width * height);
    for (let i = 0; i < values.length; i++) {
      const [red, green, blue] = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
      values[i] = (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
    }
    return DigitPreparation.picture(height, width, values);
  }

  // Shrunk to 28 × 28 by averaging over areas, whatever the shape.
  function squeezed(canvas) {
    const large = grey(canvas);
    const small = DigitPreparation.picture(28, 28);
    const edges = (part, side) => [Math.floor((part * side) / 28), Math.ceil(((part + 1) * side) / 28)];
    for (let place = 0; place < 784; place++) {
      const [top, bottom] = edges(Math.floor(place / 28), large.height);
      const [left, right] = edges(place % 28, large.width);
      let sum = 0;
      for (let y = top; y < bottom; y++) {
        for (let x = left; x < right; x++) sum += large.values[y * large.width + x];
      }
      small.values[place] = sum / ((bottom - top) * (right - left));
    }
    return small;
  }

  function painted({ height, width, values }) {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const pen = canvas.getContext("2d");
    const image = pen.createImageData(width, height);
    values.forEach((x, i) => image.data.set([255 * x, 255 * x, 255 * x, 255], 4 * i));
    pen.putImageData(image, 0, 0);
    return canvas;
  }

  if (!customElements.get("digit-pad")) customElements.define("digit-pad", DigitPad);
  document.currentScript.after(document.createElement("digit-pad"));
})();
