// Rows that are made, changed and removed. What a program makes bears its name, so that the other one does not meet it.

import { ACME, admin, anonymous, answers, client, refused, rows, service, user } from './harness.mjs'

const rules = () => admin.from('control_rules')
const rule = (name, more = {}) => ({
  rule_name: `js-${name}`,
  resource_type_code: 'gpu_hours',
  limit_kind_code: 'cumulative',
  limit_action_code: 'warn',
  ...more,
})
const id = (number) => `00000000-0000-7000-8000-0000000001${String(number).padStart(2, '0')}`
const told = 'rule_name,limit_action_code,priority,is_active'

// One and many.
await answers('a row is made without being told', rules().insert(rule('one', { rule_id: id(1) })), { error: null, status: 201, data: null })
await rows('and is there, with what was not said', rules().select(`${told},warn_at_percent`).eq('rule_name', 'js-one').single(), {
  rule_name: 'js-one',
  limit_action_code: 'warn',
  priority: 0,
  is_active: true,
  warn_at_percent: null,
})
await answers('a row is made and told', rules().insert(rule('two', { rule_id: id(2), warn_at_percent: 62.5 })).select('rule_id,rule_name,warn_at_percent').single(), {
  error: null,
  status: 201,
  data: { rule_id: id(2), rule_name: 'js-two', warn_at_percent: 62.5 },
})
await answers(
  'many rows are made, and told with related ones',
  rules().insert([rule('three', { rule_id: id(3) }), rule('four', { rule_id: id(4), priority: 9 })], { count: 'exact' }).select('rule_name,resource_types(description)'),
  {
    error: null,
    status: 201,
    count: 2,
    data: [
      { rule_name: 'js-three', resource_types: { description: 'Time on a GPU' } },
      { rule_name: 'js-four', resource_types: { description: 'Time on a GPU' } },
    ],
  }
)
await answers(
  'rows of different columns, with defaults for what is missing',
  rules().insert([rule('five', { priority: 4 }), rule('six')], { defaultToNull: false }).select(told),
  {
    error: null,
    status: 201,
    data: [
      { rule_name: 'js-five', limit_action_code: 'warn', priority: 4, is_active: true },
      { rule_name: 'js-six', limit_action_code: 'warn', priority: 0, is_active: true },
    ],
  }
)
await answers('no rows are no error', rules().insert([]).select(), { error: null, status: 201, data: [] })

// What is there already.
await answers(
  'a row that is there is changed where it is put again',
  rules().upsert(rule('one', { rule_id: id(1), priority: 5 })).select('rule_id,priority'),
  { error: null, status: 200, data: [{ rule_id: id(1), priority: 5 }] }
)
await answers(
  'rows are changed and made in one call',
  rules().upsert([rule('two', { rule_id: id(2), priority: 6 }), rule('seven', { rule_id: id(7), priority: 7 })], { onConflict: 'rule_id' }).select('rule_name,priority'),
  { error: null, status: 201, data: [{ rule_name: 'js-two', priority: 6 }, { rule_name: 'js-seven', priority: 7 }] }
)
await answers(
  'a row that is there is left where that is asked for',
  rules().upsert([rule('changed', { rule_id: id(1) }), rule('eight', { rule_id: id(8) })], { ignoreDuplicates: true }).select('rule_name'),
  { error: null, status: 201, data: [{ rule_name: 'js-eight' }] }
)
await rows('it was left', rules().select('rule_name').eq('rule_id', id(1)), [{ rule_name: 'js-one' }])
await refused('a row that is there is refused elsewhere', rules().insert(rule('again', { rule_id: id(1) })), 409, { code: 'already_exists' })

// Changes.
await answers('rows are changed by a filter', rules().update({ is_active: false }).in('rule_id', [id(3), id(4)]), { error: null, status: 204, data: null })
await answers('and told', rules().update({ priority: 1 }).eq('is_active', false).like('rule_name', 'js-%').select('rule_name,priority').order('rule_name'), {
  error: null,
  status: 200,
  data: [
    { rule_name: 'js-four', priority: 1 },
    { rule_name: 'js-three', priority: 1 },
  ],
})
await answers('how many were changed', rules().update({ priority: 2 }, { count: 'exact' }).eq('is_active', false).like('rule_name', 'js-%'), { status: 204, count: 2 })
await answers('a change of none', rules().update({ priority: 3 }).eq('rule_name', 'js-nobody').select(), { error: null, status: 200, data: [] })
await answers('a value becomes null', rules().update({ warn_at_percent: null }).eq('rule_id', id(2)).select('warn_at_percent').single(), { status: 200, data: { warn_at_percent: null } })
await refused('more changes than were allowed', rules().update({ priority: 8 }).like('rule_name', 'js-%').maxAffected(1), 400, { code: 'PGRST124' })
await rows('change nothing', rules().select('rule_name').like('rule_name', 'js-%').eq('priority', 8), [])

// Refusals.
await refused('an unknown column', rules().insert(rule('bad', { prio: 1 })), 400, { code: 'PGRST204' })
await refused('a resource type that is not there', rules().insert(rule('bad', { resource_type_code: 'nothing' })), 422, { code: 'invalid_catalogue' })
await refused('a missing value', rules().insert({ rule_name: 'js-bad' }), 400, { code: 'missing_field' })
await refused('text that is no number', rules().update({ priority: 'high' }).eq('rule_id', id(1)), 400, { code: 'invalid_value' })
await refused('who may not', service.from('control_rules').insert(rule('bad')), 403, { code: 'insufficient_role' })
await refused('nor by a change', user.from('control_rules').update({ priority: 1 }).eq('rule_id', id(1)), 403, { code: 'insufficient_role' })
await refused('who bears no token', anonymous.from('control_rules').delete().eq('rule_id', id(1)), 401, {})
await refused('the ledger is not written', service.from('consumption').update({ quantity: 1 }).eq('account_id', ACME), 405, { code: 'PGRST117' })
await rows('nothing of it was made', rules().select('rule_name').eq('rule_name', 'js-bad'), [])

// Removals.
await answers('a row is removed', rules().delete().eq('rule_id', id(1)), { error: null, status: 204, data: null })
await answers('and told', rules().delete().eq('rule_id', id(2)).select('rule_name,limit_kinds(limit_kind_code)').single(), {
  error: null,
  status: 200,
  data: { rule_name: 'js-two', limit_kinds: { limit_kind_code: 'cumulative' } },
})
await answers('all of a filter, counted', rules().delete({ count: 'exact' }).like('rule_name', 'js-%'), { error: null, status: 204, count: 6 })
await answers('none is left to remove', rules().delete().like('rule_name', 'js-%').select(), { error: null, status: 200, data: [] })

// Accounts, which are commands to their trees.
const account = (name, more = {}) => ({ account_type_code: 'organization', external_id: `js-${name}`, ...more })
await answers(
  'accounts are made, and told',
  service.from('accounts').insert([account('a', { display_name: 'A' }), account('b', { display_name: 'B' })]).select('external_id,display_name,status'),
  {
    error: null,
    status: 201,
    data: [
      { external_id: 'js-a', display_name: 'A', status: 'active' },
      { external_id: 'js-b', display_name: 'B', status: 'active' },
    ],
  }
)
await answers('an account is changed', service.from('accounts').update({ display_name: 'A, renamed', status: 'suspended' }).eq('external_id', 'js-a').select('display_name,status').single(), {
  error: null,
  status: 200,
  data: { display_name: 'A, renamed', status: 'suspended' },
})
await answers(
  'accounts are named by the ids of the product where they are put again',
  service
    .from('accounts')
    .upsert([account('b', { display_name: 'B, too' }), account('c', { display_name: 'C' })], { onConflict: 'external_id' })
    .select('external_id,display_name'),
  {
    error: null,
    status: 201,
    data: [
      { external_id: 'js-b', display_name: 'B, too' },
      { external_id: 'js-c', display_name: 'C' },
    ],
  }
)
await refused(
  'one row that is refused refuses all of its call',
  service.from('accounts').insert([account('d'), account('a')]),
  409,
  { code: 'already_exists' }
)
await rows('none of them was made', service.from('accounts').select('external_id').eq('external_id', 'js-d'), [])
await refused('an account of an account type that is not there', service.from('accounts').insert(account('d', { account_type_code: 'guild' })), 422, {
  code: 'unknown_code',
})

// Entitlements, whose changes are versions.
const c = await service.from('accounts').select('account_id').eq('external_id', 'js-c').single()
const entitlement = { account_id: c.data.account_id, resource_type_code: 'benchmark_runs', limit_kind_code: 'cumulative', quantity_allowed: 5 }
await answers(
  'an entitlement is made, and told with its account',
  service.from('entitlements').insert(entitlement).select('quantity_allowed,version,accounts(external_id)').single(),
  { error: null, status: 201, data: { quantity_allowed: 5, version: 1, accounts: { external_id: 'js-c' } } }
)
await answers(
  'an entitlement is changed',
  service.from('entitlements').update({ quantity_allowed: 8 }).eq('account_id', c.data.account_id).select('quantity_allowed,version').single(),
  { error: null, status: 200, data: { quantity_allowed: 8, version: 2 } }
)
const checked = service.rpc('check_entitlement', { p_external_id: 'js-c', p_resource_type: 'benchmark_runs' })
await answers('and counts at once', checked.then(({ data }) => data), { decision: 'allow', quantity_allowed: 8 })
await answers('a change is tried without a trace', service.from('entitlements').update({ quantity_allowed: 9 }).eq('account_id', c.data.account_id).select('quantity_allowed').rollback().single(), {
  error: null,
  status: 200,
  data: { quantity_allowed: 9 },
})
await rows('nothing was changed', service.from('entitlements').select('quantity_allowed').eq('account_id', c.data.account_id), [{ quantity_allowed: 8 }])

// Rows that are all key, and rows of all namespaces.
const allowed = { resource_type_code: 'platform_access', unit_code: 'minutes' }
await answers('a row of two keys is made', admin.from('resource_type_allowed_units').upsert(allowed).select('unit_code,units(description)').single(), {
  error: null,
  status: 201,
  data: { unit_code: 'minutes', units: { description: 'Minutes' } },
})
await answers('again it is no other', admin.from('resource_type_allowed_units').upsert(allowed, { ignoreDuplicates: true }).select(), { error: null, status: 201, data: [] })
await answers('and removed', admin.from('resource_type_allowed_units').delete({ count: 'exact' }).match(allowed), { error: null, status: 204, count: 1 })
await refused(
  'rows of all namespaces are not for the administrator of one',
  admin.from('account_types').insert({ account_type_code: 'js_club', description: 'A club', can_have_children: false }),
  403,
  { code: 'insufficient_role', details: 'namespace_id' }
)

await refused('accounts stay', service.from('accounts').delete().eq('external_id', 'js-a'), 405, { code: 'PGRST117' })
await answers('by a schema of its name', client(process.env.MEC_COMPAT_TOKEN, { schema: 'public' }).from('accounts').update({ status: 'active' }).eq('external_id', 'js-a'), { error: null, status: 204 })
