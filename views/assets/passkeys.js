// Answers the question of a passkey's form with the browser's own dialogue, and posts the answer.
for (const form of document.querySelectorAll('form[data-passkey]')) {
  const error = form.querySelector('.passkey-error');
  const { startRegistration, startAuthentication } = SimpleWebAuthnBrowser;
  const ask = form.dataset.passkey === 'create' ? startRegistration : startAuthentication;

  const post = (answer) => {
    form.elements.credential.value = JSON.stringify(answer);
    form.submit();
  };
  const tell = (failure) => {
    error.textContent =
      failure.name === 'InvalidStateError'
        ? 'This device has a passkey for your account already.'
        : 'Nothing was chosen, or it took too long. Try again.';
    error.hidden = false;
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    error.hidden = true;
    ask({ optionsJSON: JSON.parse(form.dataset.options) }).then(post, tell);
  });
}
