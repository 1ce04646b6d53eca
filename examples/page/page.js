// The page: a card for each scenario, its result and whether it was the expected one.

import { overTheWire, send } from './request.js';
import { sections } from './scenarios.js';

const ROLES = {
  page: 'the origin that the policies allow',
  storefront: 'the JavaScript origin of the application “storefront”, allowed for the pet store',
  stranger: 'an origin that no policy allows',
};
const CORS = /^(access-control-.*|vary|allow)$/i;

const settings = await (await fetch('/settings.json')).json();
const runs = [];

introduce();
for (const section of sections) document.getElementById('scenarios').append(sectionOf(section));
document.getElementById('run-all').addEventListener('click', runAll);

function introduce() {
  document.getElementById('origin').textContent = location.origin;
  document.getElementById('gateway').textContent = settings.gateway;
  document.getElementById('role').textContent = ROLES[settings.role];
  for (const [role, origin] of Object.entries(settings.origins)) {
    if (role === settings.role) continue;
    const link = element('a', `${origin} (${role})`);
    link.href = origin;
    document.getElementById('others').append(link, ' ');
  }
}

function sectionOf({ title, scenarios }) {
  const section = element('section');
  const cards = element('div', '', 'cards');
  cards.append(...scenarios.map(cardOf));
  section.append(element('h2', title), cards);
  return section;
}

function cardOf(scenario) {
  const card = element('article', '', 'card');
  card.id = scenario.id;
  const top = element('div', '', 'top');
  const button = element('button', 'Send');
  button.type = 'button';
  button.setAttribute('aria-label', `Send: ${scenario.title}`);
  top.append(element('h3', scenario.title), button);
  const result = element('div', '', 'result');
  result.setAttribute('aria-live', 'polite');
  const description = element('div');
  description.append(
    top,
    element('p', scenario.about, 'about'),
    element('pre', requestText(scenario)),
    element('p', `Expected here: ${expectationText(scenario)}`, 'expected'),
  );
  card.append(description, result);
  const run = async () => {
    button.disabled = true;
    const read = await send(settings.gateway, scenario);
    const answers = await overTheWire(scenario);
    button.disabled = false;
    const surprises = compare(scenario, read, answers);
    card.dataset.verdict = surprises.length === 0 ? 'expected' : 'surprise';
    card.dataset.read = read.error ? 'nothing' : read.status;
    show(result, scenario, read, answers, surprises);
    return surprises.length === 0;
  };
  button.addEventListener('click', run);
  runs.push(run);
  return card;
}

async function runAll({ target }) {
  target.disabled = true;
  const summary = document.getElementById('summary');
  let expected = 0;
  // One after the other: the cards of a section build on each other, and the terminal stays readable.
  for (const [index, run] of runs.entries()) {
    summary.textContent = `${index + 1} of ${runs.length} …`;
    if (await run()) expected += 1;
  }
  summary.textContent = expected === runs.length
    ? `All ${runs.length} went as expected.`
    : `${expected} of ${runs.length} went as expected.`;
  target.disabled = false;
}

/** Everything that is not as the scenario expects, in words. */
function compare(scenario, read, answers) {
  const { reads, says: [status, reason] } = scenario.expect[settings.role];
  const last = answers.at(-1);
  const surprises = [];
  if ((read.status ?? null) !== reads) surprises.push(`JavaScript read ${read.status ?? 'nothing'}`);
  if (last.status !== status) surprises.push(`the gateway answered ${last.status ?? last.error}`);
  if (reason && last.body?.trim() !== reason) surprises.push(`its reason was “${last.body}”`);
  if (reads !== null && !read.error) {
    for (const name of scenario.asks ?? []) {
      if ((read.headers[name] !== null) !== scenario.visible.includes(name)) {
        surprises.push(`JavaScript ${read.headers[name] === null ? 'did not see' : 'saw'} ${name}`);
      }
    }
    if (scenario.contains && !read.body.includes(scenario.contains)) surprises.push(`the body has no “${scenario.contains}”`);
  }
  return surprises;
}

function show(result, scenario, read, answers, surprises) {
  const verdict = element('p', surprises.length ? `✗ Not as expected: ${surprises.join('; ')}.` : '✓ As expected.', 'verdict');
  verdict.classList.add(surprises.length ? 'bad' : 'good');
  const sides = element('div', '', 'sides');
  sides.append(side('What JavaScript reads', readText(read)), side('What the gateway answered', answers.map(wireText).join('\n\n')));
  result.replaceChildren(verdict, sides);
}

function side(title, text) {
  const box = element('div');
  box.append(element('h4', title), element('pre', text));
  return box;
}

function requestText({ method, path, headers = {}, credentials }) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  if (credentials === 'include') lines.push('(with credentials)');
  return [`${method} ${path}`, ...lines].join('\n');
}

function expectationText({ expect, asks, visible }) {
  const { reads, says: [status, reason] } = expect[settings.role];
  const answer = `${status}${reason ? ` ${reason}` : ''}`;
  if (reads === null) return `the gateway answers ${answer}; JavaScript reads nothing.`;
  const headers = asks ? ` and of ${asks.join(', ')}: ${visible.join(', ') || 'none'}` : '';
  return `JavaScript reads ${reads}${headers}.`;
}

function readText(read) {
  if (read.error) return `nothing\n${read.error}`;
  const headers = Object.entries(read.headers).map(([name, value]) => `${name}: ${value ?? '(hidden)'}`);
  return [`${read.status}`, ...headers, '', shortened(read.body)].join('\n').trim();
}

function wireText(answer) {
  if (answer.error) return `${answer.sent}\n${answer.error}`;
  const headers = answer.headers.filter(([name]) => CORS.test(name)).map(([name, value]) => `${name}: ${value}`);
  return [`${answer.sent}`, `→ ${answer.status} ${answer.reason}`, ...headers, '', shortened(answer.body)].join('\n').trim();
}

function shortened(text) {
  return text.length > 300 ? `${text.slice(0, 300)} …` : text;
}

function element(tag, text = '', className = '') {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}
