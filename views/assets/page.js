// What pages gain with a script; without it each of them works all the same.

const short = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const withTime = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
});

// Times in the reader's zone; what the server wrote is in UTC and says so.
for (const element of document.querySelectorAll('time[datetime]:not([data-fixed])')) {
  const at = new Date(element.dateTime);
  if (Number.isNaN(at.getTime())) continue;
  element.title = `${element.textContent.trim()}`;
  element.textContent = (element.dataset.day === undefined ? withTime : short).format(at);
}

const textOf = (source) =>
  source.tagName === 'OL'
    ? [...source.children].map((item) => item.textContent.trim()).join('\n')
    : source.textContent.trim();

// A button to copy stands only where it can work.
for (const button of document.querySelectorAll('button[data-copy]')) {
  const source = document.getElementById(button.dataset.copy);
  if (!source || !navigator.clipboard) continue;
  const label = [...button.childNodes];
  button.hidden = false;
  button.addEventListener('click', () => {
    navigator.clipboard.writeText(textOf(source)).then(
      () => say('Copied'),
      () => say('Select and copy it'),
    );
  });
  const say = (text) => {
    button.textContent = text;
    setTimeout(() => {
      button.replaceChildren(...label);
    }, 2000);
  };
}

// One menu at a time; Escape and a click elsewhere close it.
const menus = [...document.querySelectorAll('details.menu')];
document.addEventListener('click', (event) => {
  for (const menu of menus) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  for (const menu of menus) {
    if (!menu.open) continue;
    menu.open = false;
    menu.querySelector('summary').focus();
  }
});

// A form that was sent is not sent again by an impatient second click.
for (const form of document.querySelectorAll('form[method="post"]')) {
  form.addEventListener('submit', (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = 'yes';
  });
}
addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-sent]')) delete form.dataset.sent;
});

// On a narrow screen the ways scroll sideways: the current one is in sight.
document.querySelector('.side [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });

// After a form came back: where the first thing is to be mended.
document.querySelector('[aria-invalid="true"]')?.focus();
