// The price page's slider: goods sold a month → the fee in each edition. The table says the same without it.
const place = document.querySelector("[data-prices]");
const slider = place.querySelector("input");
const stops = place.dataset.stops.split(" ").map(Number);
const minimum = Number(place.dataset.minimum);
const whole = new Intl.NumberFormat("en");
const cents = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

function show() {
  const goods = stops[slider.value];
  const text = `€${whole.format(goods)}`;
  place.querySelector("[data-goods]").textContent = text;
  slider.setAttribute("aria-valuetext", text);
  for (const output of place.querySelectorAll("[data-rate]")) {
    // The rates have at most three decimals and the goods none, so whole mills are exact.
    const fee = (goods * Math.round(output.dataset.rate * 1000)) / 1000;
    output.textContent = `€${cents.format(fee)}`;
    output.nextElementSibling.textContent = fee < minimum ? "below the minimum, carried to the next month" : "a month";
  }
}

slider.addEventListener("input", show);
place.querySelector("[data-folds-with-script]").open = false;
show();
