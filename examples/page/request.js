// One scenario, sent twice: by fetch, under the browser's rules, and on the wire, without them.

const SIMPLE_METHODS = ['GET', 'HEAD', 'POST'];
const SIMPLE_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];

/** The names a browser puts into Access-Control-Request-Headers (Fetch, CORS-unsafe request-header names). */
export function unsafeHeaders(headers = {}) {
  return Object.entries(headers)
    .filter(([name, value]) => name.toLowerCase() !== 'content-type'
      || !SIMPLE_TYPES.includes(value.split(';')[0].trim().toLowerCase()))
    .map(([name]) => name.toLowerCase())
    .sort();
}

/** The headers of the preflight that a browser sends first, or null when it sends none. */
export function preflightHeaders({ method, headers }) {
  const names = unsafeHeaders(headers);
  if (SIMPLE_METHODS.includes(method) && names.length === 0) return null;
  const requested = { 'Access-Control-Request-Method': method };
  if (names.length > 0) requested['Access-Control-Request-Headers'] = names.join(',');
  return requested;
}

/** What JavaScript reads: {status, body, headers: {name: value or null}}, or {error} when the browser hides the response. */
export async function send(gateway, scenario) {
  try {
    const { method, path, headers, body, credentials = 'omit', asks = [] } = scenario;
    const response = await fetch(gateway + path, { method, headers, body, credentials, cache: 'no-store' });
    const seen = Object.fromEntries(asks.map((name) => [name, response.headers.get(name)]));
    return { status: response.status, body: await response.text(), headers: seen };
  } catch (error) {
    return { error: String(error) };
  }
}

/** What the gateway answers, exchange by exchange: the preflight, and the request if that was allowed. */
export async function overTheWire(scenario) {
  const answers = [];
  const preflight = preflightHeaders(scenario);
  if (preflight) {
    answers.push({ sent: `OPTIONS ${scenario.path}`, ...await wire('OPTIONS', scenario.path, preflight, null) });
    if (answers[0].status !== 200) return answers;
  }
  const { method, path, headers = {}, body } = scenario;
  const type = body instanceof URLSearchParams ? { 'Content-Type': SIMPLE_TYPES[0] } : {};
  const answer = await wire(method, path, { ...type, ...headers }, body ? String(body) : null);
  return [...answers, { sent: `${method} ${path}`, ...answer }];
}

async function wire(method, path, headers, body) {
  const response = await fetch('/wire', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ method, path, headers, body }),
  });
  return response.json();
}
