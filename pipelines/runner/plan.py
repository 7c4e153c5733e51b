"""From the files of a pipeline to steps in order, with everything checked before anything runs."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mlpond.errors import PipelineError
from mlpond.pipelines.runner.catalog import Catalog
from mlpond.pipelines.runner.fragments import read_fragments, told, undeclared
from mlpond.pipelines.runner.names import Key, folded, same, shown, suggest
from mlpond.pipelines.runner.parameters import Value
from mlpond.pipelines.runner.project import Project, StepFile
from mlpond.pipelines.runner.protocol import Pond
from mlpond.pipelines.runner.select import reachable, select
from mlpond.seeds.loader import find_seed, refuse_same_name
from mlpond.sql.templates.quoting import join_parts, name_parts


@dataclass(frozen=True)
class Node:
    """One step of a plan."""

    key: str
    name: str
    kind: str  # seed, table, view, model, python or check
    text: str = ""  # as written in the file
    sql: str = ""  # rendered
    parameters: Mapping[str, Value] = field(default_factory=dict)
    inputs: Mapping[str, str | None] = field(default_factory=dict)  # relation or model: its step
    file: StepFile | None = None
    fragments: Mapping[str, str] = field(default_factory=dict)  # texts by name, as written

    @property
    def needs(self) -> frozenset[str]:
        """The steps that must come before."""
        return frozenset(step for step in self.inputs.values() if step is not None)


@dataclass(frozen=True)
class Plan:
    """The steps of a run in order."""

    nodes: tuple[Node, ...]  # every step of the pipeline
    selected: frozenset[str]

    @property
    def steps(self) -> tuple[Node, ...]:
        """The selected steps in the order in which they run."""
        return tuple(node for node in self.nodes if node.key in self.selected)

    def after(self, key: str) -> set[str]:
        """Every step that needs this one, directly or not."""
        edges: dict[str, set[str]] = {node.key: set() for node in self.nodes}
        for node in self.nodes:
            for needed in node.needs:
                edges[needed].add(node.key)
        return reachable(key, edges)


def make_plan(
    pond: Pond,
    project: Project,
    catalog: Catalog,
    values: Mapping[str, Value],
    selection: str | None,
) -> Plan:
    """Render and read every step, find what each needs, and put them in order."""
    seeds = [_seed_node(name, catalog) for name in project.seeds]
    drafts = [_draft(pond, project, file, values) for file in project.files]
    producers = {
        folded(project.name, node.name): node.key
        for node, _, _ in drafts
        if node.kind in ("table", "view", "python")
    }
    seed_tables = {
        folded(find_seed(seed).schema, table): f"seed {seed}"
        for seed in project.seeds
        for table in find_seed(seed).tables
    }
    # the tables of schema main need no schema to be found
    seed_tables |= {name[1:]: seed for name, seed in seed_tables.items() if name[0] == "main"}
    models = {node.name.casefold(): node.key for node, _, _ in drafts if node.kind == "model"}
    nodes = list(seeds)
    problems: list[str] = []
    for node, reads, models_read in drafts:
        inputs: dict[str, str | None] = {}
        for read in reads:
            inputs[read] = _producer(read, catalog, producers | seed_tables)
            if inputs[read] is None and catalog.find(read) is None:
                known = [join_parts([project.name, other.name]) for other, _, _ in drafts]
                known += [*map(join_parts, seed_tables), *catalog.relations()]
                problems.append(f"step {node.key} reads {shown(read)}, which is not there; "
                                f"{suggest(read, known)}")  # fmt: skip
        for model in models_read:
            inputs[f"model {model}"] = models.get(model.casefold())
            if model.casefold() not in models and not catalog.has_model(model):
                problems.append(f"step {node.key} reads model {model}, which is not there; "
                                f"{suggest(model, models)}")  # fmt: skip
        nodes.append(replace(node, inputs=inputs))
    if problems:
        raise PipelineError(f"pipeline {project.name}: " + "\n  ".join(problems))
    ordered = _in_order(nodes, project)
    before = {node.key: node.needs for node in ordered}
    selected = frozenset(before)
    if selection is not None:
        selected = select(selection, before, project.name)
        selected |= _companions(ordered, selected)
    plan = Plan(ordered, selected)
    _check_selection(plan, project, catalog)
    return plan


def _seed_node(name: str, catalog: Catalog) -> Node:
    seed = find_seed(name)
    refuse_same_name(catalog.name, seed.schema, f"seed {name}")
    return Node(f"seed {name}", name, "seed", text=seed.fingerprint)


def _draft(
    pond: Pond, project: Project, file: StepFile, values: Mapping[str, Value]
) -> tuple[Node, tuple[str, ...], tuple[str, ...]]:
    """A step without its place in the plan, the relations it reads and the models it reads."""
    where = f"pipeline {project.name}: step {file.key}"
    if file.kind == "python":
        node = Node(file.key, file.name, "python", file.text, file.text, dict(values), file=file)
        return node, file.declared_reads, ()
    with told(where, file.path):
        fragments = read_fragments(project.folder, file.text)
        asked = undeclared(file.text, fragments)
        used = {name: value for name, value in values.items() if name in asked}
        sql = pond.render(file.text, values, fragments).strip().rstrip(";").rstrip()
        found = pond.references(sql)
    kind = file.materialize if file.kind == "sql" else "check"
    if found.kind == "create_model" and file.kind == "sql":
        kind = "model"
        if not same(found.model_created or "", file.name):
            raise PipelineError(
                f"{where} makes the model {found.model_created}; the file and what it makes have "
                "one name, so rename either."
            )
    elif found.kind != "query":
        accepted = "a SELECT" if file.kind == "check" else "a SELECT or a CREATE MODEL statement"
        raise PipelineError(
            f"{where} ({file.path}) is neither a query nor a model statement; write {accepted}. "
            "The runner makes the table or view itself."
        )
    node = Node(file.key, file.name, kind, file.text, sql, used, file=file, fragments=fragments)
    reads = tuple(dict.fromkeys((*found.reads, *file.declared_reads)))
    return node, reads, found.models_read


def _producer(reference: str, catalog: Catalog, producers: Mapping[Key, str]) -> str | None:
    name = folded(*name_parts(reference))
    if len(name) == 3 and same(name[0], catalog.name):
        name = name[1:]
    return producers.get(name)


def _in_order(nodes: list[Node], project: Project) -> tuple[Node, ...]:
    """Each step after those it needs; a check as soon as what it reads is there."""
    by_key = {node.key: node for node in nodes}
    waiting = {node.key: set(node.needs) for node in nodes}
    rank = {"seed": 0, "check": 1}
    ready = [(rank.get(node.kind, 2), node.key) for node in nodes if not node.needs]
    heapq.heapify(ready)
    ordered: list[Node] = []
    while ready:
        _, key = heapq.heappop(ready)
        ordered.append(by_key[key])
        del waiting[key]
        for other, needed in waiting.items():
            if key in needed:
                needed.discard(key)
                if not needed:
                    heapq.heappush(ready, (rank.get(by_key[other].kind, 2), other))
    if waiting:
        cycle = " → ".join(_cycle(waiting))
        raise PipelineError(
            f"pipeline {project.name}: the steps wait for each other: {cycle} "
            "(read → as 'reads'); one of them must read something else."
        )
    return tuple(ordered)


def _cycle(waiting: Mapping[str, set[str]]) -> list[str]:
    """Some cycle among steps each of which waits for another."""
    path = [min(waiting)]
    while True:
        nearest = min(waiting[path[-1]])
        if nearest in path:
            return [*path[path.index(nearest) :], nearest]
        path.append(nearest)


def _companions(nodes: tuple[Node, ...], selected: frozenset[str]) -> frozenset[str]:
    """The seeds that selected steps read, and the checks that read nothing but selected steps."""
    seeds = {need for node in nodes if node.key in selected for need in node.needs}
    seeds = {key for key in seeds if key.startswith("seed ")}
    have = selected | seeds
    checks = {node.key for node in nodes if node.kind == "check" and node.needs <= have}
    return frozenset(seeds | checks)


def _check_selection(plan: Plan, project: Project, catalog: Catalog) -> None:
    """A step that is not selected must have left what selected steps read."""
    by_key = {node.key: node for node in plan.nodes}
    for node in plan.steps:
        for key in sorted(node.needs - plan.selected):
            if not exists(by_key[key], catalog):
                raise PipelineError(
                    f"pipeline {project.name}: step {node.key} reads {key}, which has not been "
                    f"built and is not selected; select '+{node.key}' to build what it needs."
                )


def exists(node: Node, catalog: Catalog) -> bool:
    """Whether what the step makes is in the database."""
    if node.kind == "check":
        return True
    if node.kind == "model":
        return catalog.has_model(node.name)
    if node.kind == "seed":
        seed = find_seed(node.name)
        return all(catalog.kind(seed.schema, table) is not None for table in seed.tables)
    kind = catalog.kind(catalog.schema, node.name)
    return kind is not None and (node.kind == "python" or kind == node.kind)
