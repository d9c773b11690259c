// Checks what stands in deploy/ without a cluster: every object of Kubernetes against the schema
// of its API (types, what is required, and names that no schema knows), what belongs together, and
// that every setting is one of Ponte's. The compose file is taken by docker-compose where that is
// installed. The Helm chart is parsed as far as it is YAML; it was never rendered.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installApart } from './install-apart.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const deploy = join(root, 'deploy');
const modules = join(installApart(join(root, 'scripts', 'manifests'), 'manifests'), 'node_modules');
const load = createRequire(join(modules, 'x.js'));
const { parseAllDocuments } = load('yaml');
const schemas = join(modules, 'kubernetes-models', '_schemas');

const faults = [];
const fault = (where, what) => faults.push(`${where}: ${what}`);

function parsed(file) {
  return parseAllDocuments(readFileSync(file, 'utf8'), { merge: true }).map((document) => {
    for (const error of document.errors) fault(file, error.message);
    return document.toJS();
  });
}

/** Notes which members a validator reads: what none reads, no schema knows. */
function watched(value, path, unread) {
  if (typeof value !== 'object' || value === null) return value;
  const inner = Array.isArray(value) ? [] : {};
  for (const [key, member] of Object.entries(value)) {
    inner[key] = watched(member, `${path}.${key}`, unread);
    if (!Array.isArray(value)) unread.add(`${path}.${key}`);
  }
  return new Proxy(inner, {
    get(target, key) {
      unread.delete(`${path}.${String(key)}`);
      return target[key];
    },
  });
}

const groupOf = (apiVersion) => {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion];
  const words = group.split('.')[0];
  return `${words[0].toUpperCase()}${words.slice(1)}${version[0].toUpperCase()}${version.slice(1)}`;
};

function checkObject(file, object) {
  const schema = join(schemas, `IoK8sApi${groupOf(object.apiVersion)}${object.kind}.js`);
  if (!existsSync(schema)) return fault(file, `no schema of ${object.apiVersion} ${object.kind} is known`);
  const { validate } = load(schema);
  const unread = new Set();
  const isValid = validate(watched(object, object.kind, unread));
  for (const error of isValid ? [] : validate.errors) fault(file, `${error.instancePath} ${error.message}`);
  for (const path of unread) fault(file, `${path} is in no schema`);
}

const settings = new Set(
  [...readFileSync(join(root, 'config.example.env'), 'utf8').matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)].map(
    ([, name]) => name,
  ),
);
const known = (where, names) => {
  for (const name of names) if (!settings.has(name)) fault(where, `${name} is no setting of Ponte`);
};
const demand = (where, isSo, what) => isSo || fault(where, what);

/** Ponte's own parts of Kubernetes, together. */
function checkKubernetes() {
  const folder = join(deploy, 'kubernetes');
  const objects = [];
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.yaml'))) {
    const file = join(folder, name);
    for (const object of parsed(file)) {
      if (name === 'kustomization.yaml') {
        const files = object.resources.map((one) => (one === 'secret.yaml' ? 'secret.example.yaml' : one));
        for (const one of files) demand(file, existsSync(join(folder, one)), `${one} is not there`);
      } else if (object.kind) {
        checkObject(file, object);
        objects.push(object);
      }
    }
  }
  const of = (kind) => objects.find((object) => object.kind === kind);
  const { spec } = of('Deployment');
  const pod = spec.template.spec;
  const [container] = pod.containers;
  const config = of('ConfigMap').data;
  const labels = JSON.stringify(spec.template.metadata.labels);
  demand('deployment', JSON.stringify(spec.selector.matchLabels) === labels, 'selects other pods than its own');
  demand('service', JSON.stringify(of('Service').spec.selector) === labels, 'selects other pods');
  demand('budget', JSON.stringify(of('PodDisruptionBudget').spec.selector.matchLabels) === labels, 'is of other pods');
  demand(
    'autoscaler',
    of('HorizontalPodAutoscaler').spec.scaleTargetRef.name === of('Deployment').metadata.name,
    'is of another',
  );
  const pause = Number(container.lifecycle.preStop.exec.command.at(-1));
  const least = Number(config.DRAIN_SECONDS) + pause;
  demand('deployment', pod.terminationGracePeriodSeconds > least, `kills pods before they have had ${least} s`);
  known('config', Object.keys(config));
  known('secret', Object.keys(of('Secret').stringData));
  known(
    'deployment',
    container.env.map(({ name }) => name),
  );
  const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((name) => container[name].httpGet.path);
  demand('deployment', probes.join() === '/healthz,/healthz,/readyz', 'asks the wrong addresses');
  const mounts = container.volumeMounts.map(({ name }) => name).sort();
  demand(
    'deployment',
    mounts.join() ===
      pod.volumes
        .map(({ name }) => name)
        .sort()
        .join(),
    'mounts other volumes than it has',
  );
  return objects.length;
}

function checkCompose() {
  const file = join(deploy, 'compose.fleet.yaml');
  const [{ services }] = parsed(file);
  const nodes = Object.entries(services).filter(([name]) => name.startsWith('ponte-'));
  demand(file, nodes.length === 3, 'has not three nodes');
  for (const [name, node] of nodes) {
    known(file, Object.keys(node.environment));
    demand(file, node.environment.NODE_NAME === name, `${name} has another name`);
    demand(
      file,
      Number.parseInt(node.stop_grace_period, 10) > Number(node.environment.DRAIN_SECONDS),
      `${name} is killed early`,
    );
  }
  const balancer = readFileSync(join(deploy, 'balancer', 'Caddyfile'), 'utf8');
  for (const [name] of nodes) demand(file, balancer.includes(`${name}:8080`), `the balancer does not know ${name}`);
  const asked = [...readFileSync(file, 'utf8').matchAll(/\$\{([A-Z_]+):/g)].map(([, name]) => name);
  const example = readFileSync(join(deploy, 'fleet.example.env'), 'utf8');
  for (const name of new Set(asked))
    demand(file, example.includes(`\n${name}=`), `${name} is not in fleet.example.env`);
  const env = { ...process.env, ...Object.fromEntries(asked.map((name) => [name, 'abc123'])) };
  const { error, status, stderr } = spawnSync('docker-compose', ['-f', file, 'config', '-q'], {
    env,
    encoding: 'utf8',
  });
  if (error) return 'docker-compose is not installed: not asked';
  demand(file, status === 0, stderr);
  return 'docker-compose takes it';
}

/** Placeholders in the place of actions: what is left must be YAML. */
function checkChart() {
  const folder = join(deploy, 'helm', 'ponte');
  parsed(join(folder, 'Chart.yaml'));
  parsed(join(folder, 'values.yaml'));
  const templates = join(folder, 'templates');
  for (const name of readdirSync(templates)) {
    const text = readFileSync(join(templates, name), 'utf8')
      .replace(/^\s*\{\{-? *(?:if|end|range|with|toYaml)[^}]*\}\}\s*$/gm, '')
      .replace(/^(\s*)\{\{ \$name \}\}: .*$/gm, '$1NAME: value')
      .replace(/\{\{[^}]*\}\}/g, 'x');
    for (const document of parseAllDocuments(text)) {
      for (const error of document.errors) fault(`${name} of the chart`, error.message);
    }
  }
}

const objects = checkKubernetes();
const compose = checkCompose();
checkChart();
for (const one of faults) console.error(one);
console.log(
  `manifests: ${objects} objects of Kubernetes, ${faults.length} faults; ${compose}; the chart was parsed, not rendered`,
);
process.exit(faults.length > 0 ? 1 : 0);
