// Passkeys: a form marked data-passkey="get" or "create" asks the browser for one before it is sent. The options come from
// the JSON element named by data-options-from, or from the address in data-options.
const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const withBytes = (keys) => keys?.map((key) => ({ ...key, id: toBytes(key.id) }));

async function optionsOf(form) {
  if (form.dataset.optionsFrom) {
    const data = JSON.parse(document.getElementById(form.dataset.optionsFrom).textContent);
    return data.request_options ?? data.creation_options ?? data;
  }
  const answer = await fetch(form.dataset.options, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return (await answer.json()).request_options;
}

function create({ publicKey }, isAlone) {
  const selection = { ...publicKey.authenticatorSelection };
  selection.residentKey = isAlone ? "required" : "discouraged";
  selection.requireResidentKey = isAlone;
  if (isAlone) selection.userVerification = "required";
  return navigator.credentials.create({
    publicKey: {
      ...publicKey,
      authenticatorSelection: selection,
      challenge: toBytes(publicKey.challenge),
      user: { ...publicKey.user, id: toBytes(publicKey.user.id) },
      excludeCredentials: withBytes(publicKey.excludeCredentials),
    },
  });
}

function get({ publicKey }) {
  return navigator.credentials.get({
    publicKey: { ...publicKey, challenge: toBytes(publicKey.challenge), allowCredentials: withBytes(publicKey.allowCredentials) },
  });
}

function plain(credential) {
  const { response } = credential;
  const answer = { clientDataJSON: toText(response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) answer[name] = toText(response[name]);
  }
  if (response.getTransports) answer.transports = response.getTransports();
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    response: answer,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

const REASONS = {
  NotAllowedError: "No passkey was chosen. Nothing has changed.",
  InvalidStateError: "This device has a passkey for you already.",
  SecurityError: "Passkeys need a secure address (https).",
};

function say(form, message) {
  let place = form.querySelector("[data-passkey-problem]");
  if (!place) {
    place = document.createElement("p");
    place.className = "error";
    place.setAttribute("role", "alert");
    place.dataset.passkeyProblem = "";
    form.append(place);
  }
  place.textContent = message;
}

// Before everybody else who listens to forms: what is sent must have the credential.
addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    const field = form.elements.namedItem("credential");
    if (!form.dataset.passkey || field.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (form.dataset.asking) return;
    if (!window.PublicKeyCredential) {
      say(form, "This browser has no passkeys.");
      return;
    }
    form.dataset.asking = "yes";
    const button = event.submitter ?? form.querySelector('[type="submit"]');
    button.setAttribute("aria-busy", "true");
    try {
      const options = await optionsOf(form);
      const isAlone = form.elements.namedItem("passwordless")?.checked ?? false;
      const credential = form.dataset.passkey === "create" ? await create(options, isAlone) : await get(options);
      field.value = JSON.stringify(plain(credential));
      button.removeAttribute("aria-busy");
      form.requestSubmit();
    } catch (error) {
      say(form, REASONS[error.name] ?? "The passkey could not be used. Try again.");
    } finally {
      delete form.dataset.asking;
      button.removeAttribute("aria-busy");
    }
  },
  true,
);
