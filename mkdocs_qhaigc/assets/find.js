// Search in a list of images, and choice by state. The list works without it.
for (const form of document.querySelectorAll("form.qhaigc-find")) {
  const plain = (text) => text.normalize("NFKC").toLowerCase();
  const cards = [...form.nextElementSibling.children];
  const texts = cards.map((card) => plain(card.textContent));
  const show = () => {
    const words = plain(form.elements.words.value).split(/\s+/);
    const state = form.elements.state?.value;
    let count = 0;
    cards.forEach((card, at) => {
      card.hidden = Boolean(state && card.dataset.state !== state) || !words.every((word) => texts[at].includes(word));
      count += !card.hidden;
    });
    form.querySelector("output").value = count ? `${count} of ${cards.length}` : "None fits";
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  show(); // what a browser has kept in the fields over a reload counts
}
