"""Run a command with a PostgreSQL of its own in DATABASE_URL.

python -m deployment.with_postgres POSTGRES_PROGRAMS COMMAND...
"""

import asyncio
import os
import sys
from pathlib import Path

from deployment.rehearsal import (
    HOST,
    database_folder,
    free_port,
    new_cluster,
    postgres_command,
    running,
    until_it_listens,
)


async def main(postgres: Path, command: list[str]) -> int:
    """Return the exit code of the command."""
    port = free_port()
    with database_folder() as folder:
        server = postgres_command(postgres, await new_cluster(postgres, folder), port)
        async with running("PostgreSQL", server, folder, {}):
            await until_it_listens(port)
            url = f"postgres://chanx@{HOST}:{port}/postgres"
            environment = {**os.environ, "DATABASE_URL": url}
            process = await asyncio.create_subprocess_exec(*command, env=environment)
            return await process.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]), sys.argv[2:])))
