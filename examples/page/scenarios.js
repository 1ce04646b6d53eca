// What the page tries, and what to expect of each origin. Data only.
//
// expect[role].reads: the status JavaScript reads, or null when the browser hides the answer from it.
// expect[role].says:  the status and, for a refusal, the reason that the gateway answers last on the wire.
// visible: of the response headers in `asks`, those JavaScript may read. contains: what the body it reads contains.

const STRANGER = { reads: null, says: [403, 'Specified Origin is not allowed'] };
const OK = { reads: 200, says: [200] };
const members = (expected) => ({ page: expected, storefront: expected, stranger: STRANGER });
const pageOnly = (expected) => ({ page: expected, storefront: STRANGER, stranger: STRANGER });
const everyone = (expected) => ({ page: expected, storefront: expected, stranger: expected });

const PETS = '/gateway/petstore/1.0/pets';
const JSON_TYPE = { 'Content-Type': 'application/json' };
const REX = JSON.stringify({ name: 'Rex', kind: 'dog' });
const soap = (item) => ({
  method: 'POST',
  path: '/ws/stock/1.0',
  headers: { 'Content-Type': 'text/xml; charset=utf-8', SOAPAction: '"urn:example:stock/GetStock"' },
  body: '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    + `<GetStock xmlns="urn:example:stock"><item>${item}</item></GetStock></s:Body></s:Envelope>`,
});

export const sections = [
  {
    title: 'Requests without a preflight',
    scenarios: [
      {
        id: 'simple-get', title: 'A simple GET', method: 'GET', path: PETS,
        about: 'Allowed origins read the answer. For any other the gateway refuses, and the store never sees the request.',
        expect: members(OK),
      },
      {
        id: 'simple-post', title: 'A simple POST', method: 'POST', path: PETS,
        body: new URLSearchParams({ name: 'Bello', kind: 'dog' }),
        about: 'A form needs no preflight. A server that only decorates would have made the pet for a stranger, too.',
        expect: members({ reads: 201, says: [201] }),
      },
      {
        id: 'exposed-headers', title: 'Exposed headers', method: 'GET', path: PETS,
        asks: ['header1', 'header2', 'header3'], visible: ['header1', 'header2'],
        about: 'The store sends three headers, the policy exposes two: JavaScript does not see the third.',
        expect: members(OK),
      },
      {
        id: 'native-404', title: 'An error of the native service', method: 'GET', path: `${PETS}/999`,
        about: 'A 404 carries CORS headers like any answer: JavaScript can tell “not found” from “not allowed”.',
        expect: members({ reads: 404, says: [404] }),
      },
      {
        id: 'outage', title: 'A native service that is down', method: 'GET', path: '/gateway/reports/1.0/today',
        about: 'The gateway’s own 503 is readable too. The storefront is not associated with this API, and so a stranger here.',
        expect: pageOnly({ reads: 503, says: [503] }),
      },
    ],
  },
  {
    title: 'Preflighted requests',
    scenarios: [
      {
        id: 'preflighted-put', title: 'PUT with an allowed header', method: 'PUT', path: `${PETS}/1`,
        headers: { ...JSON_TYPE, test1: 'a' }, body: REX,
        about: 'The browser asks first. The gateway answers the preflight itself; the store sees the PUT only.',
        expect: members(OK),
      },
      {
        id: 'refused-method', title: 'DELETE, which is not allowed', method: 'DELETE', path: `${PETS}/2`,
        about: 'The preflight is answered 405, and the browser never sends the DELETE.',
        expect: members({ reads: null, says: [405, 'Method Not Allowed'] }),
      },
      {
        id: 'refused-header', title: 'A header that is not allowed', method: 'POST', path: PETS,
        headers: { ...JSON_TYPE, test3: 'a' }, body: REX,
        about: 'The policy allows test1 and test2, not test3.',
        expect: members({ reads: null, says: [403, 'Header Not Supported'] }),
      },
    ],
  },
  {
    title: 'Credentials',
    scenarios: [
      {
        id: 'sign-in', title: 'Sign in', method: 'POST', path: '/gateway/petstore/1.0/sign-in', credentials: 'include',
        body: new URLSearchParams({ name: 'Ada' }), contains: 'Ada',
        about: 'The answer sets a cookie. The policy allows credentials, so JavaScript may read an answer to them.',
        expect: members(OK),
      },
      {
        id: 'with-credentials', title: 'With credentials', method: 'GET', path: '/gateway/petstore/1.0/me',
        credentials: 'include', contains: 'Ada',
        about: 'Sent with the cookie of the card before (sign in first).',
        expect: members(OK),
      },
      {
        id: 'without-credentials', title: 'Without credentials', method: 'GET', path: '/gateway/petstore/1.0/me',
        contains: 'null',
        about: 'The same request without the cookie: the store does not know who asks.',
        expect: members(OK),
      },
      {
        id: 'credentials-not-allowed', title: 'Credentials where none are allowed', method: 'GET',
        path: '/gateway/catalog/1.0/Products', credentials: 'include',
        about: 'The catalogue allows every origin, and therefore no credentials: the browser hides the answer.',
        expect: everyone({ reads: null, says: [200] }),
      },
    ],
  },
  {
    title: 'OData and SOAP',
    scenarios: [
      {
        id: 'odata', title: 'A product of the catalogue', method: 'GET', path: '/gateway/catalog/1.0/Products(1)',
        asks: ['OData-Version'], visible: ['OData-Version'], contains: 'Leash',
        about: 'A public API: every origin reads it.',
        expect: everyone(OK),
      },
      {
        id: 'soap', title: 'A SOAP call', ...soap('leash'), contains: '<quantity>12</quantity>',
        about: 'Its Content-Type and SOAPAction take a preflight.',
        expect: pageOnly(OK),
      },
      {
        id: 'soap-fault', title: 'A SOAP fault', ...soap('dragon'), contains: 'dragon is not in stock',
        about: 'A fault comes with status 500, and is readable.',
        expect: pageOnly({ reads: 500, says: [500] }),
      },
    ],
  },
  {
    title: 'A native service with CORS of its own',
    scenarios: [
      {
        id: 'pass-through', title: 'No policy: pass-through', method: 'GET', path: '/gateway/parcels/1.0/7001',
        about: 'The native service allows the stranger’s origin only, and its word goes through untouched. '
          + 'It answers everybody: hiding the answer is left to the browser.',
        expect: { page: { reads: null, says: [200] }, storefront: { reads: null, says: [200] }, stranger: OK },
      },
      {
        id: 'guarded', title: 'A policy: the gateway takes precedence', method: 'GET',
        path: '/gateway/parcels-guarded/1.0/7001', asks: ['X-From-Native'], visible: [],
        about: 'The same service behind a policy that allows the first page’s origin: what the service says of CORS is removed.',
        expect: pageOnly(OK),
      },
      {
        id: 'observed', title: 'A policy on trial', method: 'GET', path: '/gateway/parcels-watched/1.0/7001',
        about: 'In observe mode the gateway records what it would refuse, and behaves as without a policy.',
        expect: { page: { reads: null, says: [200] }, storefront: { reads: null, says: [200] }, stranger: OK },
      },
    ],
  },
];
