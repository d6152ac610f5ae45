#!/usr/bin/env python3
"""Makes the dashboards in deploy/grafana/dashboards.

    render.py            writes them
    render.py --check    says whether those in the folder are what this script makes (exit 1 when they are not)

Needs the packages of requirements.txt. Each dashboard is a list of rows, each row a list of panels; what all panels share
(datasource, size, legend, a description that is always there) is in the functions below.
"""

import itertools
import sys
from pathlib import Path

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    VariableHide,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

FOLDER = Path(__file__).parent / "dashboards"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
HEIGHT = 8

# ---------------------------------------------------------------- what all panels share


def queries(panel, targets, instant):
    """Adds (expression, legend) pairs, named A, B, C."""
    for letter, (expr, legend) in zip("ABCDEFGH", targets):
        query = prometheus.Dataquery().expr(" ".join(expr.split())).legend_format(legend).ref_id(letter)
        panel.with_target(query.instant() if instant else query.range())
    return panel


def dressed(panel, title, about, width, unit):
    return panel.title(title).description(about).datasource(SOURCE).height(HEIGHT).span(width).unit(unit)


def steps(*colours):
    """Thresholds: a colour, or (value, colour)."""
    made = [Threshold(value=None, color=colours[0])]
    made += [Threshold(value=value, color=colour) for value, colour in colours[1:]]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(made)


def lines(title, about, *targets, width=8, unit="short", stacked=False, low=0):
    panel = dressed(timeseries.Panel(), title, about, width, unit)
    panel.legend(
        common.VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(True)
    )
    panel.tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    panel.fill_opacity(30 if stacked else 5).line_width(1)
    if low is not None:
        panel.min(low)
    if stacked:
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    return queries(panel, targets, instant=False)


def number(title, about, expr, unit="short", thresholds=None, width=4, decimals=None):
    panel = dressed(stat.Panel(), title, about, width, unit).no_value("-")
    panel.height(HEIGHT // 2).thresholds(thresholds or steps("text")).color_mode(BigValueColorMode.VALUE)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(""))
    if decimals is not None:
        panel.decimals(decimals)
    return queries(panel, [(expr, "")], instant=True)


def bars(title, about, expr, legend, width=12):
    panel = dressed(bargauge.Panel(), title, about, width, "percentunit").min(0).max(1)
    panel.orientation(VizOrientation.HORIZONTAL).thresholds(steps("green", (0.8, "orange"), (1, "red")))
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(""))
    return queries(panel, [(expr, legend)], instant=True)


def listing(title, about, expr, unit, renamed, width=12):
    panel = dressed(table.Panel(), title, about, width, unit)
    query = prometheus.Dataquery().expr(" ".join(expr.split())).ref_id("A").instant().format(PromQueryFormat.TABLE)
    panel.with_target(query)
    panel.with_transformation(
        {
            "id": "organize",
            "options": {"excludeByName": {"Time": True}, "renameByName": renamed, "indexByName": {}},
        }
    )
    return panel.override_by_name("Value", [DynamicConfigValue(id_val="displayName", value=renamed["Value"])])


def choice(name, label, query):
    """A variable to choose label values with; all unless chosen."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(query)
        .definition(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(VariableOption(selected=True, text="All", value="$__all"))
    )


def board(uid, title, about, variables, rows):
    made = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(about)
        .tags(["clinflow"])
        .timezone("browser")
        .time("now-6h", "now")
        .refresh("30s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(
            dashboard.DashboardLink("clinflow")
            .type(DashboardLinkType.DASHBOARDS)
            .tags(["clinflow"])
            .keep_time(True)
            .include_vars(True)
        )
        .with_variable(
            dashboard.DatasourceVariable("datasource")
            .label("Prometheus")
            .type("prometheus")
            .hide(VariableHide.DONT_HIDE)
        )
    )
    for variable in variables:
        made.with_variable(variable)
    ids = itertools.count(1)
    for row, panels in rows:
        made.with_row(dashboard.Row(row).id(next(ids)))
        for panel in panels:
            made.with_panel(panel.id(next(ids)))
    return made.build()


# ---------------------------------------------------------------- Cost

# Whose: chosen by the variables.
WHOSE = 'team_id=~"$team", workflow_id=~"$workflow", agent_id=~"$agent"'
ALL = f'{WHOSE}, model=~"$model"'


def by(label):
    return f"sum by ({label}) (rate(clinflow_cost_usd_total{{{ALL}}}[$__rate_interval])) * 3600"


def cost():
    spent = f"sum(increase(clinflow_cost_usd_total{{{ALL}}}[$__range]))"
    repeated = f'sum(increase(clinflow_cost_usd_total{{{ALL}, cost_class!="first"}}[$__range]))'
    calls = f"sum(increase(clinflow_invocations_total{{{ALL}}}[$__range]))"
    documents = 'sum(increase(clinflow_documents_total{team_id=~"$team", workflow_id=~"$workflow"}[$__range]))'
    share = steps("green", (0.1, "orange"), (0.25, "red"))
    never = steps("green", (1e-9, "red"))
    overview = [
        number("Spent", "Dollars booked for model calls in the time shown.", spent, "currencyUSD"),
        number(
            "At this pace, in 30 days",
            "What thirty days cost at the pace of the last 24 hours.",
            f"sum(rate(clinflow_cost_usd_total{{{ALL}}}[24h])) * 86400 * 30",
            "currencyUSD",
        ),
        number(
            "A document",
            "Dollars by documents that ended, in the time shown. Of all agents and models of a workflow.",
            f"sum(increase(clinflow_cost_usd_total{{{ALL}}}[$__range])) / ({documents} > 0)",
            "currencyUSD",
            decimals=4,
        ),
        number(
            "Paid again",
            "The share of retries, redeliveries and reprocessing in what was spent.",
            f"{repeated} / ({spent} > 0)",
            "percentunit",
            share,
        ),
        number(
            "Answered from the store",
            "The share of calls that were not made, because their answer had been paid for before.",
            f'sum(increase(clinflow_invocations_total{{{ALL}, outcome="stored"}}[$__range])) / ({calls} > 0)',
            "percentunit",
        ),
        number(
            "Loops stopped",
            "Documents whose calls repeated and were refused.",
            f"sum(increase(clinflow_loop_detections_total{{{WHOSE}}}[$__range]))",
            thresholds=never,
        ),
    ]
    who = [
        lines("By agent", "Dollars an hour, by agent.", (by("agent_id"), "{{agent_id}}"),
              width=12, unit="currencyUSD", stacked=True),
        lines("By workflow", "Dollars an hour, by workflow.", (by("workflow_id"), "{{workflow_id}}"),
              width=12, unit="currencyUSD", stacked=True),
        lines("By team", "Dollars an hour, by team.", (by("team_id"), "{{team_id}}"),
              unit="currencyUSD", stacked=True),
        lines("By model", "Dollars an hour, by model.", (by("model"), "{{model}}"), unit="currencyUSD", stacked=True),
        lines("By reason", "Dollars an hour: first calls, and what was paid again.", (by("cost_class"), "{{cost_class}}"),
              unit="currencyUSD", stacked=True),
        listing(
            "Who spends most",
            "The twenty agents and models that cost most in the time shown.",
            f"""topk(20, sum by (team_id, workflow_id, agent_id, model)
                (increase(clinflow_cost_usd_total{{{ALL}}}[$__range])))""",
            "currencyUSD",
            {"team_id": "team", "workflow_id": "workflow", "agent_id": "agent", "Value": "spent"},
        ),
        lines(
            "Retries' share",
            "What part of the money of the last hour went into doing the same work again, by workflow.",
            (
                """workflow:clinflow_cost_usd_repeated:increase1h{team_id=~"$team", workflow_id=~"$workflow"}
                   / (workflow:clinflow_cost_usd:increase1h{team_id=~"$team", workflow_id=~"$workflow"} > 0)""",
                "{{workflow_id}}",
            ),
            width=12,
            unit="percentunit",
        ),
    ]
    budgets = [
        bars(
            "Budgets used",
            "Booked and in doubt, as a share of the limit. At 80 % an alert is sent, at 100 % documents are parked.",
            "sort_desc(scope:clinflow_budget_used:ratio)",
            "{{scope}} {{scope_id}} {{period}}",
        ),
        lines(
            "Answers to calls that asked for money",
            "Refusals a second. `contended` waits for calls under way, `exhausted` for a person.",
            (
                f"""sum by (decision) (rate(clinflow_budget_decisions_total{{{WHOSE}, decision!="allow"}}[$__rate_interval]))""",
                "{{decision}}",
            ),
            width=12,
            unit="reqps",
        ),
        lines(
            "Booked against the limit",
            "Dollars of the budgets of teams, and their limits.",
            ('max by (scope_id, period) (clinflow_budget_spent_usd{scope="team", scope_id=~"$team"})',
             "{{scope_id}} {{period}} booked"),
            ('max by (scope_id, period) (clinflow_budget_limit_usd{scope="team", scope_id=~"$team"})',
             "{{scope_id}} {{period}} limit"),
            width=12,
            unit="currencyUSD",
        ),
        lines(
            "Held and in doubt",
            "Dollars that calls under way may cost, and that calls may have cost whose end is not known.",
            ("max by (scope, scope_id) (clinflow_budget_held_usd)", "{{scope}} {{scope_id}} held"),
            ("max by (scope, scope_id) (clinflow_budget_suspense_usd)", "{{scope}} {{scope_id}} in doubt"),
            width=12,
            unit="currencyUSD",
        ),
        number("Ledger drift", "The largest difference between counters and ledger. The ledger is right.",
               "max(abs(clinflow_budget_ledger_drift_usd))", "currencyUSD", never, decimals=9),
        number("Rebuilds", "Rebuilds of the counters from the ledger in the time shown.",
               'sum(increase(clinflow_budget_rebuilds_total{result="installed"}[$__range]))'),
        number("Slowest rebuild", "Within this time 99 of 100 rebuilds were done.",
               """histogram_quantile(0.99, sum by (le)
                  (increase(clinflow_budget_rebuild_duration_seconds_bucket{result="installed"}[$__range])))""", "s"),
        number("Leases that expired", "Calls whose process died while it held money.",
               "sum(increase(clinflow_leases_expired_total[$__range]))"),
        number("Alerts not sent", "Alerts that wait in the outbox.",
               "sum(max by (team_id) (clinflow_alert_outbox_pending))", thresholds=never),
        number("Prices checked", "How long ago the prices were compared with the provider's list.",
               "time() - max(clinflow_price_table_verified_timestamp_seconds)", "s",
               steps("green", (60 * 86400, "orange"), (90 * 86400, "red"))),
    ]
    quantile = "histogram_quantile({}, sum by ({}le) (rate({}[$__rate_interval])))"
    calls_row = [
        lines("Calls", "Model calls a second, by how they ended.",
              (f"sum by (outcome) (rate(clinflow_invocations_total{{{ALL}}}[$__rate_interval]))", "{{outcome}}"),
              unit="reqps", stacked=True),
        lines("Tokens", "Tokens a second, by price class.",
              (f"sum by (token_type) (rate(clinflow_tokens_total{{{ALL}}}[$__rate_interval]))", "{{token_type}}"),
              stacked=True),
        lines("Read from the prompt cache", "The share of input tokens that were read from the cache, by model.",
              (f"""sum by (model) (rate(clinflow_tokens_total{{{ALL}, token_type="cache_read"}}[$__rate_interval]))
                   / (sum by (model) (rate(clinflow_tokens_total{{{ALL}, token_type!="output"}}[$__rate_interval])) > 0)""",
               "{{model}}"), unit="percentunit"),
        lines("Time of a call", "Half of the calls, and 19 of 20, take no longer.",
              (quantile.format(0.5, "model, ", 'clinflow_invocation_duration_seconds_bucket{model=~"$model"}'),
               "{{model}} p50"),
              (quantile.format(0.95, "model, ", 'clinflow_invocation_duration_seconds_bucket{model=~"$model"}'),
               "{{model}} p95"), unit="s"),
        lines("Cost of a call", "Half of the calls, and 19 of 20, cost no more.",
              (quantile.format(0.5, "model, ", 'clinflow_invocation_cost_usd_bucket{model=~"$model"}'), "{{model}} p50"),
              (quantile.format(0.95, "model, ", 'clinflow_invocation_cost_usd_bucket{model=~"$model"}'), "{{model}} p95"),
              unit="currencyUSD"),
        lines("Cost of a document", "Half of the documents, and 19 of 20, cost no more.",
              (quantile.format(0.5, "", 'clinflow_document_cost_usd_bucket{workflow_id=~"$workflow"}'), "p50"),
              (quantile.format(0.95, "", 'clinflow_document_cost_usd_bucket{workflow_id=~"$workflow"}'), "p95"),
              unit="currencyUSD"),
        lines("Throttled", "The share of calls that the provider asked to come back later, by model.",
              ('model:clinflow_invocations_throttled:ratio_rate15m{model=~"$model"}', "{{model}}"), unit="percentunit"),
    ]
    family = "clinflow_cost_usd_total"
    chosen = ['team_id=~"$team"', 'workflow_id=~"$workflow"', 'agent_id=~"$agent"']
    variables = [
        choice("team", "Team", f"label_values({family}, team_id)"),
        choice("workflow", "Workflow", f"label_values({family}{{{chosen[0]}}}, workflow_id)"),
        choice("agent", "Agent", f"label_values({family}{{{', '.join(chosen[:2])}}}, agent_id)"),
        choice("model", "Model", f"label_values({family}{{{', '.join(chosen)}}}, model)"),
    ]
    rows = [("Overview", overview), ("Who spends", who), ("Budgets", budgets), ("Calls", calls_row)]
    about = "What model calls cost, who makes them, how full the budgets are, and what is paid twice."
    return board("clinflow-cost", "clinflow: Cost", about, variables, rows)


# ---------------------------------------------------------------- Pipeline

AT = 'role=~"$role", lane=~"$lane"'
# The queues of roles, which are not those of the delay tiers.
WORK = 'queue=~"clinflow\\\\.($role)\\\\.($lane)", queue!~"clinflow\\\\.delay.+"'


def pipeline():
    def ready(queue):
        return f'max(rabbitmq_detailed_queue_messages_ready{{queue="{queue}"}})'

    aside = steps("green", (1, "red"))
    overview = [
        number("Services up", "Services whose operators' port answers.", 'sum(up{job="clinflow"})'),
        number("Waiting", "Messages in the queues of all roles, handed out or not.",
               'sum(max by (queue) (rabbitmq_detailed_queue_messages{queue=~"clinflow\\\\.[a-z]+\\\\.(interactive|batch)"}))'),
        number("Between attempts", "Messages that wait in the delay tiers for their next attempt.",
               'sum(max by (queue) (rabbitmq_detailed_queue_messages{queue=~"clinflow\\\\.delay\\\\..+"}))'),
        number("Dead letters", "Messages that are wrong.", ready("clinflow.dead"), thresholds=aside),
        number("Parked", "Messages that are right and wait for a person or a budget.", ready("clinflow.parked"),
               thresholds=steps("green", (1, "orange"))),
        number("Documents ended", "Executions that reached a terminal state in the time shown.",
               'sum(increase(clinflow_documents_total{workflow_id=~"$workflow"}[$__range]))', decimals=0),
    ]
    queues = [
        lines("Depth", "Messages that wait to be handed out, by queue.",
              (f"max by (queue) (rabbitmq_detailed_queue_messages_ready{{{WORK}}})", "{{queue}}"), width=12),
        lines("In hand", "Messages that were handed out and have no answer yet, by queue.",
              (f"max by (queue) (rabbitmq_detailed_queue_messages_unacked{{{WORK}}})", "{{queue}}"), width=12),
        lines("Age", "How long 19 of 20 messages waited at most before their first attempt, by role and lane.",
              (f"role_lane:clinflow_delivery_wait_seconds:p95_rate5m{{{AT}}}", "{{role}} {{lane}}"), unit="s"),
        lines("Consumers", "Who consumes each queue.",
              (f"max by (queue) (rabbitmq_detailed_queue_consumers{{{WORK}}})", "{{queue}}")),
        lines("Delayed, dead and parked", "Messages outside the queues of the roles.",
              ('max by (queue) (rabbitmq_detailed_queue_messages{queue=~"clinflow\\\\.(delay\\\\..+|dead|parked)"})', "{{queue}}")),
    ]
    buckets = 'clinflow_stage_duration_seconds_bucket{role=~"$role"}'
    stages = [
        lines("Stage latency, half", "Half of the attempts take no longer, by role.",
              (f"histogram_quantile(0.5, sum by (role, le) (rate({buckets}[$__rate_interval])))", "{{role}}"), unit="s"),
        lines("Stage latency, 19 of 20", "19 of 20 attempts take no longer, by role.",
              (f"histogram_quantile(0.95, sum by (role, le) (rate({buckets}[$__rate_interval])))", "{{role}}"), unit="s"),
        lines("Being handled", "Deliveries in the hands of a handler, by role.",
              ('sum by (role) (clinflow_in_flight{role=~"$role"})', "{{role}}")),
        lines("Handled", "Deliveries handled a second, by role.",
              (f'sum by (role) (rate(clinflow_deliveries_total{{{AT}, outcome="handled"}}[$__rate_interval]))', "{{role}}"),
              unit="ops"),
        lines("Not handled", "Deliveries a second that ended otherwise, by how.",
              (f"""sum by (outcome) (rate(clinflow_deliveries_total{{{AT}, outcome!="handled"}}[$__rate_interval]))""",
               "{{outcome}}"), unit="ops"),
        lines("Failures", "Failed attempts a second, by code: docs/failures says what each means.",
              ('sum by (role, code) (rate(clinflow_failures_total{role=~"$role"}[$__rate_interval]))', "{{role}} {{code}}"),
              unit="ops"),
        lines("Redeliveries", "The share of deliveries that somebody had before who ended without an answer, by role.",
              (f"""sum by (role) (rate(clinflow_redeliveries_total{{{AT}}}[$__rate_interval]))
                   / (sum by (role) (rate(clinflow_deliveries_total{{{AT}}}[$__rate_interval])) > 0)""", "{{role}}"),
              unit="percentunit"),
        lines("Set aside", "The share of deliveries that ended as dead letter or parked, by role.",
              ('role:clinflow_deliveries_set_aside:ratio_rate15m{role=~"$role"}', "{{role}}"), unit="percentunit"),
    ]
    flow = 'workflow_id=~"$workflow"'
    documents = [
        lines("Documents", "Executions that ended, a second, by terminal state.",
              (f"sum by (result) (rate(clinflow_documents_total{{{flow}}}[$__rate_interval]))", "{{result}}"),
              unit="ops", stacked=True),
        lines("From submission to end", "Half of the documents, and 19 of 20, take no longer.",
              (f"""histogram_quantile(0.5, sum by (le)
                   (rate(clinflow_document_duration_seconds_bucket{{{flow}}}[$__rate_interval])))""", "p50"),
              (f"""histogram_quantile(0.95, sum by (le)
                   (rate(clinflow_document_duration_seconds_bucket{{{flow}}}[$__rate_interval])))""", "p95"), unit="s"),
        lines("Joins", "Joins of branches a second, by how they were closed.",
              (f"sum by (result) (rate(clinflow_joins_total{{{flow}}}[$__rate_interval]))", "{{result}}"), unit="ops"),
        lines("Parts that did not count", "Parts of joins a second that came late, twice or unasked.",
              (f"sum by (reason) (rate(clinflow_join_parts_ignored_total{{{flow}}}[$__rate_interval]))", "{{reason}}"),
              unit="ops"),
        lines("Without progress", "Executions a second that made no progress, by what was done about them.",
              ("sum by (result) (rate(clinflow_redrives_total[$__rate_interval]))", "{{result}}"), unit="ops"),
        lines("Guardrail", "Findings of the guardrail a second, by policy and what was done.",
              (f"""sum by (policy, action)
                   (rate(clinflow_guardrail_interventions_total{{{flow}}}[$__rate_interval]))""",
               "{{policy}} {{action}}"), unit="ops"),
    ]
    health = [
        lines("Broker", "1 while a service is connected to RabbitMQ.", ("clinflow_broker_up", "{{instance}}")),
        lines("Blocked", "1 while RabbitMQ asks a service to wait.", ("clinflow_broker_blocked", "{{instance}}")),
        lines("Alarms of the broker", "1 while RabbitMQ is short of memory, disk or file descriptors.",
              ("max(rabbitmq_alarms_memory_used_watermark)", "memory"),
              ("max(rabbitmq_alarms_free_disk_space_watermark)", "disk"),
              ("max(rabbitmq_alarms_file_descriptor_limit)", "file descriptors")),
        listing("Versions", "Which version each service runs.",
                "max by (instance, version) (clinflow_build_info)", "short", {"Value": "runs"}),
    ]
    variables = [
        choice("role", "Role", "label_values(clinflow_deliveries_total, role)"),
        choice("lane", "Lane", 'label_values(clinflow_deliveries_total{role=~"$role"}, lane)'),
        choice("workflow", "Workflow", "label_values(clinflow_documents_total, workflow_id)"),
    ]
    rows = [("Overview", overview), ("Queues", queues), ("Stages", stages), ("Documents", documents), ("Health", health)]
    about = "Where documents wait, how long each stage takes, what came late or again, and what was set aside."
    return board("clinflow-pipeline", "clinflow: Pipeline", about, variables, rows)


def main():
    stale = []
    for name, made in {"cost": cost(), "pipeline": pipeline()}.items():
        path = FOLDER / f"{name}.json"
        text = JSONEncoder(sort_keys=True, indent=2).encode(made) + "\n"
        if "--check" not in sys.argv[1:]:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(path)
    for path in stale:
        print(f"{path} is not what deploy/grafana/render.py makes: run it and commit what it writes", file=sys.stderr)
    sys.exit(1 if stale else 0)


if __name__ == "__main__":
    main()
