from tests.faults.conftest import *
from tests.faults.test_processes import test_a_client_that_hangs_up_leaves_a_whole_write_or_none as t
async def test_x(forum, server, postgres):
    await t(forum, server, postgres)
    print(server.log.read_text())
