// What is told of rows: columns with other names and types, members of JSON, related rows, media types.

import { ACME, BETA, GAMMA, TEAM, answers, equal, last, anonymous, rows, service, user } from './harness.mjs'

const acme = (columns) => service.from('accounts').select(columns).eq('external_id', 'acme')

await rows('columns are told under other names', acme('id:account_id,external_id'), [
  { id: ACME, external_id: 'acme' },
])
await rows(
  'columns are cast',
  service.from('plans').select('days:trial_days::text,is_trial::text').eq('plan_id', 'trial-14d'),
  [{ days: '14', is_trial: 'true' }]
)
await rows(
  'a quantity is a number, and a text where it is cast',
  service
    .from('entitlements')
    .select('quantity_allowed,text:quantity_allowed::text')
    .eq('account_id', ACME)
    .eq('resource_type_code', 'gpu_hours'),
  [{ quantity_allowed: 25, text: '25' }]
)
await rows('members of JSON are named by their key', acme('metadata->tier,metadata->>seats,t:metadata->>tier'), [
  { tier: 'gold', seats: '12', t: 'gold' },
])
await rows('a member that is not there is null', acme('metadata->>nothing'), [{ nothing: null }])
await rows('JSON comes as it is', acme('metadata'), [{ metadata: { tier: 'gold', seats: '12' } }])
await answers('all columns are told without a choice', service.from('account_types').select().eq('account_type_code', 'user'), {
  data: [{ account_type_code: 'user', description: 'A person', can_have_children: false }],
  count: null,
})

await rows(
  'a plan has its templates',
  service
    .from('plans')
    .select('plan_id,plan_entitlement_templates(resource_type_code,quantity_allowed)')
    .eq('plan_id', 'trial-14d')
    .order('resource_type_code', { referencedTable: 'plan_entitlement_templates' }),
  [
    {
      plan_id: 'trial-14d',
      plan_entitlement_templates: [
        { resource_type_code: 'benchmark_runs', quantity_allowed: 50 },
        { resource_type_code: 'concurrent_users', quantity_allowed: 2 },
        { resource_type_code: 'gpu_hours', quantity_allowed: 10 },
        { resource_type_code: 'platform_access', quantity_allowed: null },
        { resource_type_code: 'server_configs', quantity_allowed: 1 },
      ],
    },
  ]
)
await rows(
  'a template has its plan and its resource type with its unit',
  service
    .from('plan_entitlement_templates')
    .select('plan:plans(plan_name),resource_types(default_unit_code,units(unit_category))')
    .eq('plan_id', 'trial-14d')
    .eq('resource_type_code', 'gpu_hours'),
  [{ plan: { plan_name: 'Trial' }, resource_types: { default_unit_code: 'hours', units: { unit_category: 'time' } } }]
)
await rows(
  'an account has its entitlements, one after the other',
  service
    .from('accounts')
    .select('external_id,entitlements(resource_type_code,plans(plan_name))')
    .in('external_id', ['acme', 'acme-team'])
    .order('external_id')
    .order('resource_type_code', { referencedTable: 'entitlements', ascending: false })
    .limit(2, { referencedTable: 'entitlements' }),
  [
    {
      external_id: 'acme',
      entitlements: [
        { resource_type_code: 'server_instances', plans: { plan_name: 'Starter' } },
        { resource_type_code: 'server_configs', plans: { plan_name: 'Starter' } },
      ],
    },
    { external_id: 'acme-team', entitlements: [] },
  ]
)
await rows(
  'an entitlement of no plan has null in its place, and its account',
  service.from('entitlements').select('plans(plan_id),accounts(external_id)').eq('account_id', GAMMA),
  [{ plans: null, accounts: { external_id: 'gamma' } }]
)
await rows(
  'a filter of related rows leaves the rows themselves',
  service
    .from('accounts')
    .select('external_id,entitlements(resource_type_code)')
    .eq('entitlements.resource_type_code', 'gpu_hours')
    .eq('entitlements.plan_id', 'starter')
    .order('external_id'),
  [
    { external_id: 'acme', entitlements: [{ resource_type_code: 'gpu_hours' }] },
    { external_id: 'acme-team', entitlements: [] },
    { external_id: 'beta', entitlements: [] },
    { external_id: 'gamma', entitlements: [] },
  ]
)
await rows(
  'an inner relation drops the rows without a related one',
  service
    .from('accounts')
    .select('external_id,e:entitlements!inner(resource_scope)')
    .eq('e.resource_scope', 'eu,west'),
  [{ external_id: 'gamma', e: [{ resource_scope: 'eu,west' }] }]
)
await rows(
  'an inner relation to one drops, too',
  service
    .from('entitlements')
    .select('resource_type_code,plans!inner(plan_name)')
    .eq('plans.plan_name', 'Starter')
    .eq('resource_type_code', 'gpu_hours'),
  [{ resource_type_code: 'gpu_hours', plans: { plan_name: 'Starter' } }]
)
await rows(
  'or and offset of related rows',
  service
    .from('plans')
    .select('plan_entitlement_templates(resource_type_code)')
    .eq('plan_id', 'trial-14d')
    .or('quantity_allowed.eq.50,quantity_allowed.lt.3', { referencedTable: 'plan_entitlement_templates' })
    .order('quantity_allowed', { referencedTable: 'plan_entitlement_templates' })
    .range(1, 2, { referencedTable: 'plan_entitlement_templates' }),
  [{ plan_entitlement_templates: [{ resource_type_code: 'concurrent_users' }, { resource_type_code: 'benchmark_runs' }] }]
)
await rows(
  'rows with no related one',
  service.from('accounts').select('external_id,entitlements()').is('entitlements', null).order('external_id'),
  [{ external_id: 'acme-team' }]
)
await rows(
  'accounts below an account, and the one above it',
  service.from('accounts').select('external_id,accounts(external_id),above:parent_account_id(external_id)').in('account_id', [ACME, TEAM]).order('external_id'),
  [
    { external_id: 'acme', accounts: [{ external_id: 'acme-team' }], above: null },
    { external_id: 'acme-team', accounts: [], above: { external_id: 'acme' } },
  ]
)
await rows(
  'a hint names the column that is followed',
  service.from('account_hierarchy').select('external_id,owner:accounts!owner_account_id(external_id)').eq('account_id', TEAM),
  [{ external_id: 'acme-team', owner: { external_id: 'acme' } }]
)
await rows(
  'a related resource is spread into its rows',
  service.from('entitlements').select('resource_type_code,...plans(plan_name)').eq('account_id', BETA).eq('resource_type_code', 'gpu_hours'),
  [{ resource_type_code: 'gpu_hours', plan_name: 'Pro' }]
)
await rows(
  'an event has its details, and its account',
  service
    .from('consumption')
    .select('quantity,occurred_at,accounts(external_id),consumption_event_details(detail_key,detail_value)')
    .eq('idempotency_key', 'fifth'),
  [
    {
      quantity: 7.125,
      occurred_at: '2026-01-08T12:00:00+00:00',
      accounts: { external_id: 'beta' },
      consumption_event_details: [{ detail_key: 'job', detail_value: 'fifth' }],
    },
  ]
)

await rows(
  'what an account may use and has used is told as rows, too',
  user
    .from('usage_summary')
    .select('limit_kind_code,allowed:quantity_allowed,quantity_used')
    .eq('account_id', ACME)
    .in('resource_type_code', ['benchmark_runs', 'concurrent_users'])
    .order('quantity_allowed', { ascending: false }),
  [
    { limit_kind_code: 'cumulative', allowed: 100, quantity_used: 0 },
    { limit_kind_code: 'concurrency', allowed: 3, quantity_used: 0 },
  ]
)

await answers('CSV has a line of names, and quotes what needs it', service.from('accounts').select('external_id,display_name,email').order('external_id').csv(), {
  error: null,
  status: 200,
  data:
    'external_id,display_name,email\n' +
    'acme,"Acme, Inc. (Berlin)",it@acme.example\n' +
    'acme-team,"the ""red"" team\\1",\n' +
    'beta,,\n' +
    'gamma,Gamma: 50% off,gamma@example.com',
})
await equal('CSV is told as such', last.headers.get('content-type'), 'text/csv; charset=utf-8')
const beta = () => service.from('accounts').select('external_id,email,metadata').eq('external_id', 'beta')
await rows('nulls are stripped of rows', beta().stripNulls(), [{ external_id: 'beta', metadata: { tier: 'silver' } }])
await equal(
  'stripped rows are told as such',
  last.headers.get('content-type').split(';').map((part) => part.trim()).slice(0, 2),
  ['application/vnd.pgrst.array+json', 'nulls=stripped']
)
await rows('nulls are stripped of one row', beta().stripNulls().single(), { external_id: 'beta', metadata: { tier: 'silver' } })
await rows('nulls stay elsewhere', beta(), [{ external_id: 'beta', email: null, metadata: { tier: 'silver' } }])

await rows('without a token plans are told', anonymous.from('plans').select('plan_id').order('plan_id').limit(1), [
  { plan_id: 'enterprise' },
])
await rows(
  'who acts for one account sees those below it alone',
  user.from('accounts').select('external_id').order('external_id'),
  [{ external_id: 'acme' }, { external_id: 'acme-team' }]
)
await rows(
  'and of related rows, too',
  user.from('plans').select('plan_id,subscriptions(account_id)').in('plan_id', ['pro', 'starter']).order('plan_id'),
  [
    { plan_id: 'pro', subscriptions: [] },
    { plan_id: 'starter', subscriptions: [{ account_id: ACME }] },
  ]
)
