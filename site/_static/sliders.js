// The sliders of the notebooks, without a kernel. All frames of a slider lie one below the other in
// one picture, of which the style sheet shows as much as one frame is high.

for (const slider of document.querySelectorAll(".slider")) {
  const find = (selector) => slider.querySelector(selector);
  const knobs = [...slider.querySelectorAll("input")];
  const bars = [...slider.querySelectorAll(".bars span")];
  const { captions, probabilities } = JSON.parse(find("script").textContent);

  const show = () => {
    // Count like a clock: the last knob turns fastest.
    let frame = 0;
    for (const { value, min, max } of knobs) frame = frame * (max - min + 1) + (value - min);
    find("img").style.objectPosition = `0 ${(100 * frame) / (captions.length - 1)}%`;
    find("output").textContent = captions[frame];
    const best = Math.max(...(probabilities[frame] || []));
    bars.forEach((bar, digit) => {
      const probability = probabilities[frame][digit];
      bar.style.height = `${100 * probability}%`;
      bar.classList.toggle("best", probability === best);
    });
  };

  // The arrow keys turn a knob, too: the browser sees to that.
  for (const knob of knobs) knob.addEventListener("input", show);
  show(); // also what the browser has kept when the page is loaded again
}
