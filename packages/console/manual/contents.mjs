/** What the manual holds, in the order of its contents: files below the repository's root. */
export const CONTENTS = [
  {
    title: 'Begin',
    pages: [
      'docs/index.md',
      'docs/sandbox.md',
      'docs/testing-in-ci.md',
      'docs/connecting.md',
      'docs/live.md',
      'docs/faq.md',
    ],
  },
  {
    title: 'Messages and people',
    pages: [
      'docs/sending.md',
      'docs/files.md',
      'docs/groups.md',
      'docs/history.md',
      'docs/identity.md',
      'docs/avoiding-blocks.md',
    ],
  },
  {
    title: 'Events',
    pages: ['docs/webhooks.md', 'docs/event-catalogue.md', 'docs/events.md', 'docs/integrations.md'],
  },
  { title: 'Agents', pages: ['docs/mcp.md', 'docs/mcp-tools.md'] },
  {
    title: 'Operating',
    pages: [
      'docs/operating.md',
      'docs/fleet.md',
      'docs/sizing.md',
      'docs/scale.md',
      'docs/measuring.md',
      'docs/verified.md',
      'docs/benchmark.md',
      'docs/troubleshooting.md',
      'SECURITY.md',
    ],
  },
  {
    title: 'Looking up',
    pages: [
      'docs/errors.md',
      'docs/line-reasons.md',
      'docs/access.md',
      'docs/lines-transcript.md',
      'docs/bridges-transcript.md',
      'CHANGELOG.md',
      'ARCHITECTURE.md',
    ],
  },
];
