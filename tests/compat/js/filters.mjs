// Every filter that the client offers for the kinds of columns that there are.

import { ACME, refused, rows, service } from './harness.mjs'

/** The external ids of the accounts that a filter leaves. */
const accounts = (sentence, filter, expected) =>
  rows(
    sentence,
    filter(service.from('accounts').select('external_id')).order('external_id'),
    expected.map((external_id) => ({ external_id }))
  )

/** The resource types of the templates of the plan `starter` that a filter leaves. */
const templates = (sentence, filter, expected) =>
  rows(
    sentence,
    filter(service.from('plan_entitlement_templates').select('resource_type_code').eq('plan_id', 'starter')).order(
      'resource_type_code'
    ),
    expected.map((resource_type_code) => ({ resource_type_code }))
  )

await accounts('eq of text', (all) => all.eq('external_id', 'beta'), ['beta'])
await accounts('eq of an id', (all) => all.eq('account_id', ACME), ['acme'])
await accounts('eq of text with what the language itself uses', (all) => all.eq('display_name', 'Acme, Inc. (Berlin)'), ['acme'])
await accounts('eq of text with quotes', (all) => all.eq('display_name', 'the "red" team\\1'), ['acme-team'])
await accounts('eq of text with signs of URLs', (all) => all.eq('display_name', 'Gamma: 50% off'), ['gamma'])
await accounts('eq null holds for nothing', (all) => all.eq('display_name', null), [])
await accounts('eq of a member of JSON', (all) => all.eq('metadata->>tier', 'silver'), ['beta'])
await accounts('neq leaves nulls out', (all) => all.neq('email', 'it@acme.example'), ['gamma'])
await templates('eq of a quantity', (all) => all.eq('quantity_allowed', 25), ['gpu_hours'])
await templates('eq of a quantity with places', (all) => all.eq('quantity_allowed', '25.000'), ['gpu_hours'])
await templates('gt', (all) => all.gt('quantity_allowed', 25), ['benchmark_runs'])
await templates('gte', (all) => all.gte('quantity_allowed', 25), ['benchmark_runs', 'gpu_hours'])
await templates('lt', (all) => all.lt('quantity_allowed', 3), ['server_configs'])
await templates('lte', (all) => all.lte('quantity_allowed', 3), ['concurrent_users', 'server_configs'])
await templates('two filters of a column', (all) => all.gt('quantity_allowed', 2).lt('quantity_allowed', 100), [
  'concurrent_users',
  'gpu_hours',
  'server_instances',
])
await rows(
  'gte and lt of times',
  service
    .from('consumption')
    .select('idempotency_key')
    .gte('occurred_at', '2026-01-05T09:30:00Z')
    .lt('occurred_at', '2026-01-07T12:00:00+00:00')
    .order('occurred_at'),
  [{ idempotency_key: 'second' }, { idempotency_key: 'third' }]
)

await accounts('like', (all) => all.like('external_id', 'acme%'), ['acme', 'acme-team'])
await accounts('like heeds case', (all) => all.like('display_name', 'ACME%'), [])
await accounts('like of one character', (all) => all.like('external_id', '_eta'), ['beta'])
await accounts('ilike does not', (all) => all.ilike('display_name', 'ACME%'), ['acme'])
await accounts('like of all', (all) => all.likeAllOf('external_id', ['%a%', '%team']), ['acme-team'])
await accounts('like of any', (all) => all.likeAnyOf('external_id', ['be%', 'ga%']), ['beta', 'gamma'])
await accounts('ilike of all', (all) => all.ilikeAllOf('display_name', ['%RED%', 'the%']), ['acme-team'])
await accounts('ilike of any', (all) => all.ilikeAnyOf('display_name', ['ACME%', 'gAMMA%']), ['acme', 'gamma'])
await accounts('a regular expression', (all) => all.regexMatch('external_id', '^(beta|gam+a)$'), ['beta', 'gamma'])
await accounts('a regular expression without case', (all) => all.regexIMatch('external_id', '^B'), ['beta'])

await accounts('is null', (all) => all.is('display_name', null), ['beta'])
await accounts('is not null', (all) => all.not('display_name', 'is', null), ['acme', 'acme-team', 'gamma'])
await templates('is false', (all) => all.is('per_seat', false).is('resource_scope', null).gt('quantity_allowed', 25), [
  'benchmark_runs',
])
await rows('is true', service.from('plans').select('plan_id').is('is_trial', true), [{ plan_id: 'trial-14d' }])
await accounts('is distinct counts null in', (all) => all.isDistinct('email', 'it@acme.example'), ['acme-team', 'beta', 'gamma'])
await accounts('in', (all) => all.in('external_id', ['beta', 'gamma', 'nobody']), ['beta', 'gamma'])
await accounts(
  'in with what the language itself uses',
  (all) => all.in('display_name', ['Acme, Inc. (Berlin)', 'Gamma: 50% off']),
  ['acme', 'gamma']
)
await accounts('in of nothing', (all) => all.in('external_id', []), [])
await accounts('not in', (all) => all.notIn('external_id', ['acme', 'gamma']), ['acme-team', 'beta'])
await templates('in of quantities', (all) => all.in('quantity_allowed', [2, 3]), ['concurrent_users', 'server_configs'])
await accounts('not eq', (all) => all.not('status', 'eq', 'active'), ['acme-team'])
await accounts('not in, as it is written', (all) => all.not('external_id', 'in', '(acme,beta)'), ['acme-team', 'gamma'])

await accounts('or', (all) => all.or('external_id.eq.beta,status.eq.suspended'), ['acme-team', 'beta'])
await accounts('or of quoted values', (all) => all.or('display_name.eq."Acme, Inc. (Berlin)",email.like.gamma*'), ['acme', 'gamma'])
await accounts(
  'and within or, and not',
  (all) => all.or('and(external_id.like.acme*,status.eq.active),not.and(email.is.null,status.eq.suspended)'),
  ['acme', 'beta', 'gamma']
)
await accounts('in within or', (all) => all.or('external_id.in.(beta,gamma),metadata->>tier.eq.gold'), ['acme', 'beta', 'gamma'])
await accounts('several alternatives all hold', (all) => all.or('external_id.eq.acme,external_id.eq.beta').or('email.is.null,status.eq.suspended'), [
  'beta',
])
await accounts('any other filter', (all) => all.filter('external_id', 'eq(any)', '{acme,beta}'), ['acme', 'beta'])
await templates('any of comparisons', (all) => all.filter('quantity_allowed', 'gt(all)', '{2,3}').lt('quantity_allowed', 100), [
  'gpu_hours',
  'server_instances',
])
await accounts('match is eq of several columns', (all) => all.match({ status: 'active', external_id: 'beta' }), ['beta'])

const types = (sentence, text, options, expected) =>
  rows(
    sentence,
    service.from('resource_types').select('resource_type_code').textSearch('description', text, options).order('resource_type_code'),
    expected.map((resource_type_code) => ({ resource_type_code }))
  )
await types('a text search', "'users' & 'seat'", { config: 'simple' }, ['named_users'])
await types('a text search of plain words', 'seat users', { type: 'plain', config: 'simple' }, ['named_users'])
await types('a text search of a phrase', 'language model', { type: 'phrase', config: 'simple' }, ['llm_tokens'])
await types('a text search as on the web', '"at work" -users', { type: 'websearch', config: 'simple' }, ['concurrent_jobs'])

await refused(
  'a filter of arrays on no array',
  service.from('accounts').select().contains('external_id', ['a']),
  404,
  { code: '42883' }
)
await refused('a filter of ranges on no range', service.from('accounts').select().rangeGt('external_id', '[1,2]'), 404, {
  code: '42883',
})
