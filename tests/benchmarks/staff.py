"""The staff area over many people, projects and events, beside the sample's own job requests.

What is added is as far as each page can tell like the sample's: names, memberships, roles, events of all kinds.
"""

from sqlalchemy import Engine, create_engine, text

from jobserver import db
from tests.benchmarks.measuring import Figures, Visitor
from tests.benchmarks.pages import STATEMENTS, pages
from tests.benchmarks.sights import sights
from tests.benchmarks.stack import Databases, served
from tests.benchmarks.table import print_line

PEOPLE, PROJECTS, EVENTS = 20_000, 5_000, 1_000_000
USUAL_MS, EVENTS_MS = 50.0, 100.0
# Of what is reckoned over all projects and jobs, and over all events.
SLOWER = ("/staff/dashboards/copiloting/", "/staff/audit/")

_PEOPLE = """
INSERT INTO "user" (username, email, fullname, date_joined, roles)
SELECT 'many-' || n, 'many-' || n || '@example.org', (array['Ann', 'Bo', 'Cem', 'Dee'])[1 + n % 4] || ' Many ' || n,
       now() - n * interval '1 hour',
       CASE WHEN n % 50 = 0 THEN array['OutputChecker'] WHEN n % 500 = 7 THEN array['StaffAreaAdministrator']
            ELSE '{}'::text[] END
FROM generate_series(1, :people) AS n;
INSERT INTO github_identity (user_id, uid, login, created_at, modified_at)
SELECT id, 'many-' || id, username, now(), now() FROM "user" WHERE username LIKE 'many-%' AND id % 20 > 0;
INSERT INTO org_membership (org_id, user_id, created_at)
SELECT (SELECT min(id) FROM org) + u.id % (SELECT count(*) FROM org), u.id, now() FROM "user" u
WHERE username LIKE 'many-%' AND id % 3 > 0 AND EXISTS (
  SELECT FROM org WHERE id = (SELECT min(id) FROM org) + u.id % (SELECT count(*) FROM org));
INSERT INTO backend_membership (backend_id, user_id, created_at)
SELECT b.id, u.id, now() FROM "user" u JOIN backend b ON (b.id + u.id) % 2 = 0 WHERE username LIKE 'many-%';
"""
_PROJECTS = """
INSERT INTO project (name, slug, number, org_id, created_at, created_by_id, updated_at, updated_by_id, status,
                     copilot_id)
SELECT 'Many ' || n, 'many-' || n, CASE WHEN n % 3 > 0 THEN (100000 + n)::text END, o.id, now(), u.id, now(), u.id,
       (array['ongoing', 'postponed', 'retired'])[1 + n % 3], CASE WHEN n % 4 > 0 THEN u.id END
FROM generate_series(1, :projects) AS n,
     LATERAL (SELECT id FROM org ORDER BY id OFFSET n % (SELECT count(*) FROM org) LIMIT 1) AS o,
     LATERAL (SELECT id FROM "user" WHERE username = 'many-' || (1 + n % 100)) AS u;
INSERT INTO project_collaboration (org_id, project_id, created_at, created_by_id, updated_at, updated_by_id)
SELECT org_id, id, now(), created_by_id, now(), created_by_id FROM project WHERE slug LIKE 'many-%';
INSERT INTO workspace (name, project_id, repo_id, branch, created_at, created_by_id, updated_at, updated_by_id)
SELECT 'many-' || p.id || '-' || n, p.id, r.id, 'main', now(), p.created_by_id, now(), p.created_by_id
FROM project p, generate_series(1, 2) AS n,
     LATERAL (SELECT id FROM repo ORDER BY id OFFSET p.id % (SELECT count(*) FROM repo) LIMIT 1) AS r
WHERE p.slug LIKE 'many-%';
INSERT INTO project_membership (project_id, user_id, roles, created_at)
SELECT p.id, u.id, CASE WHEN n = 1 THEN array['ProjectDeveloper'] ELSE '{}'::text[] END, now()
FROM project p, generate_series(1, 4) AS n,
     LATERAL (SELECT id FROM "user" WHERE username = 'many-' || (1 + (p.id * 7 + n * 13) % :people)) AS u
WHERE p.slug LIKE 'many-%' ON CONFLICT DO NOTHING;
INSERT INTO application (created_at, created_by_id, study_name, status)
SELECT now(), u.id, 'Study ' || u.id, 'submitted' FROM "user" u WHERE username LIKE 'many-%' LIMIT 2000;
"""
_EVENTS = """
INSERT INTO auditable_event (type, target_model, target_id, target_user, target_user_id, parent_model, parent_id,
                             created_at, created_by, actor_id, target_label, parent_label, changes, source)
SELECT (array['project_member_added', 'user_updated_roles', 'workspace_created', 'project_updated',
              'job_request_created', 'level4_login'])[1 + n % 6],
       'jobserver.Project', p.id::text, u.username, u.id, 'jobserver.Project', p.id::text,
       now() - n * interval '1 minute', u.username, u.id, p.name, p.name, '{"status": ["ongoing", "retired"]}',
       'browser'
FROM generate_series(1, :events) AS n
JOIN LATERAL (SELECT id, name FROM project WHERE slug = 'many-' || (1 + n % :projects)) AS p ON true
JOIN LATERAL (SELECT id, username FROM "user" WHERE username = 'many-' || (1 + n % :people)) AS u ON true
"""


def measure_staff(databases: Databases, sample: str, rounds: int) -> bool:
    """Print what each page takes; whether they all answered as they should."""
    with databases.copy(sample) as address:
        engine = create_engine(db.sqlalchemy_url(address))
        _fill(engine)
        engine.dispose()
        with served(address) as server:
            seen = sights(server.engine)
            visitor = Visitor(server, seen)
            good = True
            for page in pages(seen):
                if not page.path.startswith("/staff/"):
                    continue
                figures = Figures()
                visitor.warm(page)
                for _ in range(rounds):
                    visitor.note(page, figures)
                good = _report(page.name, page.path, figures, page.expected) and good
    return good


def _report(name: str, path: str, figures: Figures, expected: int) -> bool:
    if figures.status != expected:
        print_line(f"{name:<40} answered {figures.status}: {path}")
        return False
    most = EVENTS_MS if path.startswith(SLOWER) else USUAL_MS
    over = [
        word
        for word, is_over in (("statements", figures.statements > STATEMENTS), ("time", figures.ms > most))
        if is_over
    ]
    verdict = f"OVER: {', '.join(over)}" if over else "ok"
    print_line(f"{name:<40} {figures.statements:>4} {figures.ms:>8.1f} {most:>6.0f}  {verdict}")
    return True


def _fill(engine: Engine) -> None:
    numbers = {"people": PEOPLE, "projects": PROJECTS, "events": EVENTS}
    with engine.begin() as connection:
        for statements in (_PEOPLE, _PROJECTS, _EVENTS):
            for statement in filter(str.strip, statements.split(";\n")):
                connection.execute(text(statement), numbers)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
