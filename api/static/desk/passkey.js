// Passkeys, between `navigator.credentials` and the API; bytes are base64url in JSON.

const bytes = (/** @type {string} */ text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));

const text = (/** @type {ArrayBuffer} */ buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const described = (/** @type {{id: string}[] | undefined} */ list) => list?.map((one) => ({ ...one, id: bytes(one.id) }));

/** @param {any} credential @param {string[]} names of what its response has */
function written(credential, names) {
  /** @type {Record<string, string>} */
  const response = {};
  for (const name of names) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response };
}

/** Whether this browser has passkeys at all. */
export const canPasskeys = () => Boolean(globalThis.PublicKeyCredential && navigator.credentials);

/**
 * Ask the API; `wrong` of what is thrown is its problem, or null where it did not answer.
 *
 * @param {string} method
 * @param {string} path
 * @param {any} [body]
 * @param {Record<string, string>} [more] headers
 * @returns {Promise<any>}
 */
export async function ask(method, path, body, more = {}) {
  const isForm = body instanceof FormData; // the browser says of itself how it is written
  const headers = { "Reparto-Csrf": "1", ...(isForm ? {} : { "Content-Type": "application/json" }), ...more };
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined || isForm ? body : JSON.stringify(body) });
  } catch {
    throw Object.assign(new Error("no answer"), { wrong: null });
  }
  const said = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (!answer.ok) throw Object.assign(new Error(said?.detail ?? answer.statusText), { wrong: said });
  return said;
}

/** Have a passkey made, and keep it under a name. @param {string} name @param {string} password */
export async function addPasskey(name, password) {
  const { options } = await ask("POST", "/v1/session/passkeys/begin", { password });
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: described(options.excludeCredentials),
  };
  const made = await navigator.credentials.create({ publicKey });
  const credential = written(made, ["clientDataJSON", "attestationObject"]);
  return ask("POST", "/v1/session/passkeys", { name, credential });
}

/** Sign in with a passkey that the browser has for this site. */
export async function signInByPasskey() {
  const { options } = await ask("POST", "/v1/session/passkey/begin");
  const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: described(options.allowCredentials) };
  const signed = await navigator.credentials.get({ publicKey });
  const credential = written(signed, ["clientDataJSON", "authenticatorData", "signature", "userHandle"]);
  return ask("POST", "/v1/session/passkey", { credential });
}
