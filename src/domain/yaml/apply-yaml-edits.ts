import { EVENT_ID, type Event, getScalarValue, SCALAR_STYLE } from 'js-yaml';
import { readYamlEvents } from './read-yaml-events.ts';
import { resolveYamlScalar } from './read-yaml-tree.ts';
import { planYamlEdit, type PlannedEdit, type YamlEdit } from './yaml-edits.ts';
import { spliceText } from './yaml-scalar-text.ts';
import type { YamlTree } from './yaml-tree.ts';

export interface YamlEditResult {
  readonly text: string;
  /** Positions of the groups that were not applied. */
  readonly refused: readonly number[];
}

/**
 * Applies groups of edits to the text of a tree. Each group is applied as a whole or refused as a whole. The result is
 * parsed again: a group after which anything but its own scalars would read differently is refused. Equal edits of
 * several groups count once.
 */
export function applyYamlEdits(tree: YamlTree, groups: readonly (readonly YamlEdit[])[]): YamlEditResult {
  if (groups.every((edits) => edits.length === 0)) return { text: tree.text, refused: [] };
  const planned = groups.map((edits) => planGroup(tree, edits));
  const all = mergePlans(planned.filter((plan) => plan !== undefined));
  const text = all === undefined ? undefined : applyPlan(tree, all);
  if (text !== undefined) {
    return { text, refused: planned.flatMap((plan, index) => (plan === undefined ? [index] : [])) };
  }
  return applyOneByOne(tree, planned);
}

type Plan = ReadonlyMap<number, PlannedEdit>;

function planGroup(tree: YamlTree, edits: readonly YamlEdit[]): Plan | undefined {
  const plan = new Map<number, PlannedEdit>();
  for (const edit of edits) {
    const planned = planYamlEdit(tree, edit);
    const combined = planned === undefined ? undefined : combine(plan.get(planned.eventIndex), planned);
    if (combined === undefined) return undefined;
    plan.set(combined.eventIndex, combined);
  }
  return plan;
}

/** Two edits of one group at one place: pairs follow each other, everything else is a contradiction. */
function combine(first: PlannedEdit | undefined, second: PlannedEdit): PlannedEdit | undefined {
  if (first === undefined) return second;
  if (first.outcome.kind !== 'inserted' || second.outcome.kind !== 'inserted') return undefined;
  return {
    eventIndex: first.eventIndex,
    splices: [...first.splices, ...second.splices],
    outcome: { kind: 'inserted', texts: [...first.outcome.texts, ...second.outcome.texts] },
  };
}

/** Undefined if two plans want different things of one place. */
function mergePlans(plans: readonly Plan[]): Plan | undefined {
  const merged = new Map<number, PlannedEdit>();
  for (const planned of plans.flatMap((plan) => [...plan.values()])) {
    const present = merged.get(planned.eventIndex);
    if (present !== undefined && JSON.stringify(present) !== JSON.stringify(planned)) return undefined;
    merged.set(planned.eventIndex, planned);
  }
  return merged;
}

function applyOneByOne(tree: YamlTree, plans: readonly (Plan | undefined)[]): YamlEditResult {
  const accepted: Plan[] = [];
  const refused: number[] = [];
  let text = tree.text;
  for (const [index, plan] of plans.entries()) {
    const merged = plan === undefined ? undefined : mergePlans([...accepted, plan]);
    const next = merged === undefined ? undefined : applyPlan(tree, merged);
    if (plan === undefined || next === undefined) {
      refused.push(index);
    } else {
      accepted.push(plan);
      text = next;
    }
  }
  return { text, refused };
}

/** The edited text, or undefined if it does not read as wanted. */
function applyPlan(tree: YamlTree, plan: Plan): string | undefined {
  const text = spliceText(
    tree.text,
    [...plan.values()].flatMap((planned) => planned.splices),
  );
  let events: readonly Event[];
  try {
    events = readYamlEvents(text, tree.name);
  } catch {
    return undefined;
  }
  return readsAsPlanned(tree, plan, { text, events }) ? text : undefined;
}

function readsAsPlanned(tree: YamlTree, plan: Plan, edited: Pick<YamlTree, 'text' | 'events'>): boolean {
  let at = 0;
  const holdsString = (value: string): boolean => resolveYamlScalar(edited, at++) === value;
  for (const [index, before] of tree.events.entries()) {
    const outcome = plan.get(index)?.outcome;
    if (outcome === undefined || outcome.kind === 'inserted') {
      if (outcome !== undefined && !outcome.texts.every(holdsString)) return false;
      const after = edited.events[at++];
      if (after === undefined || describe(tree.text, before) !== describe(edited.text, after)) return false;
    } else {
      const after = edited.events[at];
      if (
        after === undefined ||
        properties(tree.text, before, outcome.kind) !== properties(edited.text, after, 'scalar')
      ) {
        return false;
      }
      if (!holdsString(outcome.value)) return false;
    }
  }
  return at === edited.events.length;
}

/** Everything that the meaning of an event depends on, without its place. */
function describe(text: string, event: Event): string {
  switch (event.type) {
    case EVENT_ID.SCALAR:
      return JSON.stringify([
        properties(text, event, 'scalar'),
        event.style === SCALAR_STYLE.PLAIN,
        getScalarValue(text, event),
      ]);
    case EVENT_ID.ALIAS:
      return JSON.stringify(['alias', text.slice(event.anchorStart, event.anchorEnd)]);
    case EVENT_ID.DOCUMENT:
      return JSON.stringify(event);
    case EVENT_ID.POP:
      return 'end';
    default:
      return JSON.stringify([event.type, properties(text, event, 'scalar')]);
  }
}

/** Anchor and tag of an event. What stands in for an alias has neither. */
function properties(text: string, event: Event, kind: 'scalar' | 'plain-for-alias'): string {
  if (kind === 'plain-for-alias' || !('tagStart' in event)) return '["",""]';
  return JSON.stringify([
    event.anchorStart === -1 ? '' : text.slice(event.anchorStart, event.anchorEnd),
    event.tagStart === -1 ? '' : text.slice(event.tagStart, event.tagEnd),
  ]);
}
