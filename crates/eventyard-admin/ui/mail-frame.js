// Shows the HTML of a mail that the page around sends. Here nothing can be loaded and no script of the mail runs: the
// policy of this frame says so. What the mail would load is taken out, so that nothing is even tried.
addEventListener('message', (event) => {
  if (event.source !== parent || typeof event.data?.html !== 'string') return;
  const mail = new DOMParser().parseFromString(event.data.html, 'text/html');
  for (const element of mail.querySelectorAll('script, link, base, meta, iframe, object, embed')) element.remove();
  for (const element of mail.querySelectorAll('*')) {
    for (const { name, value } of [...element.attributes]) {
      const loads = ['src', 'srcset', 'background', 'poster'].includes(name) && !value.startsWith('data:');
      if (loads || name.startsWith('on')) element.removeAttribute(name);
    }
  }
  for (const link of mail.querySelectorAll('a[href]')) {
    link.removeAttribute('href');
  }
  document.head.querySelectorAll('style').forEach((style) => style.remove());
  document.head.append(...[...mail.querySelectorAll('style')].map((style) => document.importNode(style, true)));
  document.body.replaceChildren(...[...mail.body.childNodes].map((node) => document.importNode(node, true)));
  document.body.setAttribute('style', mail.body.getAttribute('style') ?? 'margin:16px;font-family:sans-serif');
});
parent.postMessage('mail-frame', '*');
